from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Say what the first page shows, and what is measured for it."""
        from console.today.measures import FIGURES
        from console.today.page import today
        from core.figures import register_figures
        from core.overview import register_top

        register_figures(*FIGURES)
        register_top(today)
