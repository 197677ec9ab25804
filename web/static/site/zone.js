/* Leaves the time zone of the browser for the next page (web/viewer_zone.py). A classic script, so that the admin loads it too. */
document.cookie = `tz=${Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"}; path=/; max-age=31536000; samesite=lax`;
