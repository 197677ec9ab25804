"""Money, times and states on pages of the admin: `{% load admin_columns %}`."""

from django import template

from web import admin_columns

register = template.Library()
register.simple_tag(admin_columns.shown_money)
register.simple_tag(admin_columns.shown_time)
register.simple_tag(admin_columns.shown_age)
register.simple_tag(admin_columns.shown_label)
