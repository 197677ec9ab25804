#!/usr/bin/env bash
# Collects the sentences to be translated into each app's locale/de/LC_MESSAGES/django.po, and compiles what is
# translated; both need GNU gettext. After a first run, fill in what is empty or marked fuzzy, then run it again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export DEBUG=true
for app in web products_app orders_app kafka_workers; do
  # The admin speaks English.
  (cd $app && mkdir -p locale && ../.venv/bin/python ../manage.py makemessages --locale de --ignore 'admin/*' \
    --ignore 'templates/admin/*' --extension html,txt,py --no-location --no-wrap --no-obsolete --verbosity 0)
  po=$app/locale/de/LC_MESSAGES/django.po
  [ -e $po ] || { rmdir $app/locale; continue; }
  # These two lines change with each run and tell nothing.
  sed -i '/^"POT-Creation-Date: /d; /^"Report-Msgid-Bugs-To: /d' $po
  msgfmt --statistics --check-format --output-file "${po%.po}.mo" $po
done
