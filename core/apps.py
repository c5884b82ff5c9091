from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Back office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Registers the system checks and the second module of console pages.
        from core import checks, user_admin  # noqa: F401
        from core.audits import register
        from core.trail_audits import INVARIANTS

        register(INVARIANTS)
