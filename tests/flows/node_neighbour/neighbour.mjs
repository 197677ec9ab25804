// Reads the `order.created` of an order, reserves stock for an order of its own, and reads the answer. Each value
// is checked by the schema that its `ce_dataschema` names. Its arguments come as JSON; it prints what it read.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Kafka, logLevel } from "kafkajs";

const { brokers, web, placed, own, product } = JSON.parse(process.argv[2]);

const ajv = new Ajv();
addFormats(ajv);
ajv.addFormat("decimal", /^-?\d+(\.\d+)?$/);

async function checked(url, value) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const schema = await answer.json();
  const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
  if (!validate(value)) throw new Error(`${url}: ${ajv.errorsText(validate.errors)}`);
  return value;
}

const kafka = new Kafka({ clientId: "node-neighbour", brokers: [brokers], logLevel: logLevel.ERROR });
const producer = kafka.producer();
const consumer = kafka.consumer({ groupId: `node-neighbour-${own}` });

/** The first message with this key in each of the topics, by topic. */
function first(wanted) {
  const found = {};
  return new Promise((resolve, reject) => {
    consumer.run({
      eachMessage: async ({ topic, message }) => {
        try {
          if (String(message.key) !== wanted[topic] || topic in found) return;
          const dataSchema = String(message.headers.ce_dataschema);
          found[topic] = { value: await checked(dataSchema, JSON.parse(message.value)), dataSchema };
          if (Object.keys(found).length === Object.keys(wanted).length) resolve(found);
        } catch (error) {
          reject(error);
        }
      },
    });
  });
}

const request = {
  orderId: own,
  orderNumber: "NODE-1",
  items: [{ productId: product, productName: "Lantern", quantity: 2, price: "10.00" }],
  timestamp: new Date().toISOString(),
};
const requestSchema = `${web}/api/schemas/inventory.reserve.v1.json`;

await producer.connect();
await producer.send({
  topic: "inventory.reserve",
  messages: [
    {
      key: own,
      value: JSON.stringify(await checked(requestSchema, request)),
      headers: {
        ce_specversion: "1.0",
        ce_id: `${own}:reserve`,
        ce_type: "inventory.reserve",
        ce_source: "/node-neighbour",
        ce_time: request.timestamp,
        ce_subject: own,
        ce_dataschema: requestSchema,
        "content-type": "application/json",
      },
    },
  ],
});
await consumer.connect();
await consumer.subscribe({ topics: ["order.created", "inventory.reserved"], fromBeginning: true });
console.log(JSON.stringify(await first({ "order.created": placed, "inventory.reserved": own })));
await consumer.disconnect();
await producer.disconnect();
