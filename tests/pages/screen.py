"""How page tests open a page, press what is on it and read what it shows."""

from typing import Any

from streamlit.testing.v1 import AppTest

from core.settings.environment import ROOT


def open_page(name: str, **address: str) -> AppTest:
    """Open a page of the navigation at an address."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()
    app.switch_page(f"../pages/{name}.py")
    for parameter, value in address.items():
        app.query_params[parameter] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """Return the texts of a page as they are given to Streamlit."""
    shown = [
        *app.markdown,
        *app.caption,
        *app.title,
        *app.header,
        *app.subheader,
        *app.code,
        *app.warning,
    ]
    return " ".join(str(each.value) for each in shown).replace("\u2060", "")


def plain(app: AppTest) -> str:
    """Return the texts of a page without the signs that keep them harmless."""
    return words(app).replace("\\", "")


def labelled(found: Any, label: str) -> Any:
    """Return the only one of some widgets with a label."""
    [one] = [each for each in found if each.label == label]
    return one


def press(app: AppTest, label: str) -> AppTest:
    """Click the only button with a label."""
    labelled(app.button, label).click()
    return app.run()


def toasts(app: AppTest) -> str:
    return " ".join(toast.value for toast in app.toast)


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error)
