"""Forms as HTML: valid, labelled, escaped, and each template replaced alone."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from segue import App, forms, render_template_string
from segue.errors import UsageError

VOID = {"input", "br", "link"}


class Page(HTMLParser):
    """The elements of a page, and whether they close in order."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(str(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.elements if "id" in attrs]


class Everything(forms.Form):
    template_name_p = "segue/forms/p.html"
    name = forms.CharField(max_length=100, min_length=2, help_text="<b>help</b>")
    mail = forms.EmailField()
    secret = forms.CharField(widget=forms.PasswordInput)
    age = forms.IntegerField(min_value=0, max_value=150)
    price = forms.DecimalField(max_digits=6, decimal_places=2)
    note = forms.CharField(widget=forms.Textarea)
    agree = forms.BooleanField()
    size = forms.ChoiceField(choices=[("s", "<Small>"), ("More", [("l", "Large")])], widget=forms.RadioSelect)
    tags = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)
    kind = forms.ChoiceField(choices=[("", "-"), ("<", "<k>"), ("G", [("x", "X")])])
    many = forms.MultipleChoiceField(choices=[("a", "A")])
    day = forms.DateField()
    born = forms.DateField(widget=forms.SelectDateWidget(years=[1933]))
    moment = forms.SplitDateTimeField()
    file = forms.FileField()
    hidden = forms.CharField(widget=forms.HiddenInput, initial='"><script>')


LAYOUTS = ["as_div", "as_p", "as_ul", "as_table"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("data", [None, {"name": "<script>", "age": "x", "size": "<", "kind": "<"}])
def test_each_input_is_labelled_and_every_element_closes(layout: str, data: dict[str, Any] | None) -> None:
    page = Page(getattr(Everything(data), layout)())

    labels = {attrs.get("for") for attrs in page.named("label")}
    shown = [each for each in page.named("input", "select", "textarea") if each.get("type") != "hidden"]
    assert [each["name"] for each in shown if each.get("id") not in labels and "aria-label" not in each] == []
    assert page.open == []
    assert len(page.ids()) == len(set(page.ids()))
    assert [each for each in labels if each not in page.ids()] == []
    assert len(page.named("legend")) == len(page.named("fieldset")) == 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_errors_and_help_describe_their_input(layout: str) -> None:
    page = Page(getattr(Everything({}), layout)())

    described = [str(each["aria-describedby"]) for _, each in page.elements if "aria-describedby" in each]
    assert "id_name_helptext id_name_error" in described
    assert "id_size_error" in described
    assert [id_ for each in described for id_ in each.split() if id_ not in page.ids()] == []
    invalid = {each["name"] for each in page.named("input", "select", "textarea") if "aria-invalid" in each}
    assert {"name", "mail", "age", "agree", "kind", "size"} <= invalid


def test_nothing_that_was_sent_gets_into_the_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    form = Everything(dict.fromkeys(Everything.base_fields, hostile))

    assert "<script>" not in str(form)
    assert "<b>help</b>" not in str(form)


def test_a_password_is_not_shown_again() -> None:
    form = Everything({"secret": "tops3cret"})

    assert "tops3cret" not in str(form)
    assert "tops3cret" in str(forms.PasswordInput(render_value=True).render("secret", "tops3cret"))


@pytest.mark.parametrize(
    ("name", "attrs"),
    [
        ("name", {"type": "text", "maxlength": "100", "minlength": "2", "required": None}),
        ("mail", {"type": "email", "autocomplete": "email", "inputmode": "email", "maxlength": "320"}),
        ("secret", {"type": "password", "autocomplete": "current-password"}),
        ("age", {"type": "number", "min": "0", "max": "150", "inputmode": "numeric"}),
        ("price", {"type": "number", "step": "0.01"}),
        ("day", {"type": "date"}),
        ("agree", {"type": "checkbox", "required": None}),
    ],
)
def test_browsers_check_what_the_field_does(name: str, attrs: dict[str, Any]) -> None:
    (shown,) = Page(Everything()[name]).named("input")

    assert attrs.items() <= shown.items()


def test_what_was_chosen_is_marked() -> None:
    form = Everything({"size": "l", "tags": ["a", "b"], "kind": "x", "agree": "on", "day": "2024-01-02", "note": "\nx"})

    assert [each["value"] for each in Page(form["size"]).named("input") if "checked" in each] == ["l"]
    assert len([each for each in Page(form["tags"]).named("input") if "checked" in each]) == 2
    assert [each["value"] for each in Page(form["kind"]).named("option") if "selected" in each] == ["x"]
    assert "checked" in str(form["agree"])
    assert 'value="2024-01-02"' in str(form["day"])
    assert "\n\nx</textarea>" in str(form["note"])


def test_buttons_can_be_shown_one_by_one() -> None:
    buttons = list(Everything()["size"])

    assert [str(each.choice_label) for each in buttons] == ["<Small>", "Large"]
    assert [each.id_for_label for each in buttons] == ["id_size_0", "id_size_1_0"]
    assert "&lt;Small&gt;" in str(buttons[0])


def test_a_field_with_errors_has_its_class() -> None:
    class Styled(forms.Form):
        error_css_class = "bad"
        required_css_class = "must"
        name = forms.CharField()

    assert '<div class="bad must">' in str(Styled({}))


def test_hidden_fields_tell_their_errors_above() -> None:
    class Sly(forms.Form):
        token = forms.CharField(widget=forms.HiddenInput)

    assert "(Hidden field token) This field is required." in str(Sly({}))


def test_without_ids_labels_name_nothing() -> None:
    page = Page(Everything({}, auto_id=False))

    assert page.ids() == ["id_born"][:0] + [each for each in page.ids() if each.endswith("-clear_id")]
    assert all("for" not in each for each in page.named("label") if each)


# Widgets


class Upper(forms.TextInput):
    template_name = "upper.html"


def test_a_widget_with_another_template_keeps_all_else(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "upper.html").write_text(
        '<my-input name="{{ widget.name }}" value="{{ widget.value }}"{{ widget.attrs }}></my-input>'
    )
    app = App("forms_app", static_folder=None, template_folder=str(tmp_path / "templates"))

    class Named(forms.Form):
        name = forms.CharField(max_length=3, widget=Upper(attrs={"class": "wide"}))

    with app.context():
        html = str(Named({"name": "abcd"})["name"])

    assert html.startswith('<my-input name="name" value="abcd" class="wide" maxlength="3"')
    assert 'aria-invalid="true"' in html


@pytest.mark.parametrize(
    ("file", "source", "shown"),
    [
        ("segue/forms/widgets/input.html", "[input {{ widget.name }}]", "[input name]"),
        ("segue/forms/field.html", "[field {{ field.name }}]", "[field name]"),
        ("segue/forms/label.html", "[label {{ label }}]", "[label Name:]"),
        ("segue/forms/errors.html", "[{{ errors|join }}]", "[This field is required.]"),
        ("segue/forms/div.html", "[form {{ fields|length }}]", "[form 1]"),
    ],
)
def test_a_project_replaces_one_template_alone(tmp_path: Path, file: str, source: str, shown: str) -> None:
    path = tmp_path / "templates" / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    app = App("forms_app", static_folder=None, template_folder=str(tmp_path / "templates"))

    class Named(forms.Form):
        name = forms.CharField()

    with app.context():
        assert shown in str(Named({}))
    assert shown not in str(Named({}))


def test_form_and_field_can_name_their_own_templates(tmp_path: Path) -> None:
    (tmp_path / "own.html").write_text("<p>{{ form.name }}</p>{{ form.age.as_field_group }}")
    (tmp_path / "group.html").write_text("<i>{{ field }}</i>")
    app = App("forms_app", static_folder=None, template_folder=str(tmp_path))

    class Own(forms.Form):
        template_name = "own.html"
        name = forms.CharField()
        age = forms.IntegerField(template_name="group.html")

    with app.context():
        html = str(Own())

    assert html.startswith('<p><input type="text"')
    assert '</p><i><input type="number"' in html


def test_a_template_reads_fields_by_name() -> None:
    app = App("forms_app", static_folder=None, template_folder=None)

    @app.get("/")
    def page(form: Everything) -> Any:
        source = "{{ form.name.label_tag }}|{{ form['age'].id_for_label }}|{{ form.name.errors }}"
        return render_template_string(source, form=form)

    assert app.test_client().get("/").text == '<label for="id_name">Name:</label>|id_age|'


def test_files_of_style_and_script_are_collected_once_in_order() -> None:
    class Calendar(forms.TextInput):
        class Media:
            css = {"all": ["/calendar.css"]}
            js = ["/base.js", "/calendar.js"]

    class Clock(forms.TextInput):
        class Media:
            js = ["/base.js", "/clock.js"]

    class Slim(Calendar):
        class Media:
            extend = False
            js = ["/slim.js"]

    class Timed(forms.Form):
        day = forms.CharField(widget=Calendar)
        hour = forms.CharField(widget=Clock)

        class Media:
            js = ["/form.js"]

    media = Timed().media

    assert media.js == ["/form.js", "/base.js", "/calendar.js", "/clock.js"]
    assert str(media["css"]) == '<link href="/calendar.css" media="all" rel="stylesheet">'
    assert '<script src="/base.js"></script>' in str(media)
    assert Slim().media.js == ["/slim.js"]


def test_a_widget_of_several_without_a_rule_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="decompress"):
        forms.MultiWidget([forms.TextInput]).render("a", "b")
