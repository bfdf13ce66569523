"""What Google Colab needs before the lessons' widgets draw there; anywhere else nothing is done."""

import sys

from course import sources


def is_here() -> bool:
    """Say whether this notebook runs on Colab."""
    return "google.colab" in sys.modules


def prepare() -> None:
    """On Colab: install the models and texts that are missing, and let widgets draw.

    Raises:
        sources.SourceError: a model cannot be had; the message says why.
    """
    if not is_here():
        return
    missing = [name for name in sources.SOURCES if sources.find(name) is None]
    if missing:
        size = sum(sources.SOURCES[name].megabytes for name in missing)
        print(f"Getting {', '.join(missing)} ({size:.0f} MB), once a session.")
        sources.get(missing)
    from google.colab import output

    output.enable_custom_widget_manager()
