"""What a password must have."""

from typing import Any

from django.contrib.auth.password_validation import MinimumLengthValidator

from foundation.user_names import is_invisible

HOW_IT_COUNTS = "White space counts once, and not at its ends."


class VisibleLengthValidator(MinimumLengthValidator):
    """Counts the characters that a person sees; white space between them counts once."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError where they are too few."""
        visible = "".join(" " if is_invisible(character) else character for character in password)
        super().validate(" ".join(visible.split()), user)

    def get_error_message(self) -> str:
        """The rule, for somebody whose password breaks it."""
        return f"{super().get_error_message()} {HOW_IT_COUNTS}"

    def get_help_text(self) -> str:
        """The rule, for somebody who chooses a password."""
        return f"{super().get_help_text()} {HOW_IT_COUNTS}"
