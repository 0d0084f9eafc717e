"""Forms: fields, widgets, what was sent, what is wrong with it, and its HTML.

Holds: `Form`, every field and widget, formsets; the forms of models and Structs, loaded when used.
Imports: floors 0 to 3; MarkupSafe. `forms.models`, which alone needs the database, imports db.
Never: stores anything unless `save()` is called; loads SQLAlchemy for a form without a model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import NON_FIELD_ERRORS, ValidationError
from .boundfield import BoundField, BoundWidget
from .faults import ErrorDict, ErrorList
from .fields import (
    BooleanField,
    CharField,
    ChoiceField,
    ComboField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    EmailField,
    Field,
    FileField,
    FloatField,
    GenericIPAddressField,
    ImageField,
    IntegerField,
    JSONField,
    MultipleChoiceField,
    MultiValueField,
    NullBooleanField,
    RegexField,
    SlugField,
    SplitDateTimeField,
    TimeField,
    TypedChoiceField,
    TypedMultipleChoiceField,
    URLField,
    UUIDField,
)
from .form import Form, UnknownField
from .media import Media
from .rendering import Renderer
from .widgets import (
    Attributes,
    CheckboxInput,
    CheckboxSelectMultiple,
    ChoiceWidget,
    ClearableFileInput,
    ColorInput,
    DateInput,
    DateTimeInput,
    EmailInput,
    FileInput,
    HiddenInput,
    Input,
    MultipleHiddenInput,
    MultiWidget,
    NullBooleanSelect,
    NumberInput,
    PasswordInput,
    RadioSelect,
    SearchInput,
    Select,
    SelectDateWidget,
    SelectMultiple,
    SplitDateTimeWidget,
    SplitHiddenDateTimeWidget,
    TelInput,
    Textarea,
    TextInput,
    TimeInput,
    URLInput,
    Widget,
)

if TYPE_CHECKING:
    from .formsets import (
        BaseFormSet,
        ManagementForm,
        formset_factory,
    )
    from .modelformsets import (
        BaseInlineFormSet,
        BaseModelFormSet,
        inlineformset_factory,
        modelformset_factory,
    )
    from .models import (
        ALL_FIELDS,
        ExistsIn,
        ModelChoiceField,
        ModelChoiceIterator,
        ModelForm,
        ModelMultipleChoiceField,
        UniqueIn,
        construct_instance,
        fields_for_model,
        formfield,
        model_to_dict,
        modelform_factory,
    )
    from .structs import (
        StructForm,
        form_for,
    )

__all__ = [
    "ALL_FIELDS",
    "NON_FIELD_ERRORS",
    "Attributes",
    "BaseFormSet",
    "BaseInlineFormSet",
    "BaseModelFormSet",
    "BooleanField",
    "BoundField",
    "BoundWidget",
    "CharField",
    "CheckboxInput",
    "CheckboxSelectMultiple",
    "ChoiceField",
    "ChoiceWidget",
    "ClearableFileInput",
    "ColorInput",
    "ComboField",
    "DateField",
    "DateInput",
    "DateTimeField",
    "DateTimeInput",
    "DecimalField",
    "DurationField",
    "EmailField",
    "EmailInput",
    "ErrorDict",
    "ErrorList",
    "ExistsIn",
    "Field",
    "FileField",
    "FileInput",
    "FloatField",
    "Form",
    "GenericIPAddressField",
    "HiddenInput",
    "ImageField",
    "Input",
    "IntegerField",
    "JSONField",
    "ManagementForm",
    "Media",
    "ModelChoiceField",
    "ModelChoiceIterator",
    "ModelForm",
    "ModelMultipleChoiceField",
    "MultiValueField",
    "MultiWidget",
    "MultipleChoiceField",
    "MultipleHiddenInput",
    "NullBooleanField",
    "NullBooleanSelect",
    "NumberInput",
    "PasswordInput",
    "RadioSelect",
    "RegexField",
    "Renderer",
    "SearchInput",
    "Select",
    "SelectDateWidget",
    "SelectMultiple",
    "SlugField",
    "SplitDateTimeField",
    "SplitDateTimeWidget",
    "SplitHiddenDateTimeWidget",
    "StructForm",
    "TelInput",
    "TextInput",
    "Textarea",
    "TimeField",
    "TimeInput",
    "TypedChoiceField",
    "TypedMultipleChoiceField",
    "URLField",
    "URLInput",
    "UUIDField",
    "UniqueIn",
    "UnknownField",
    "ValidationError",
    "Widget",
    "construct_instance",
    "fields_for_model",
    "form_for",
    "formfield",
    "formset_factory",
    "inlineformset_factory",
    "model_to_dict",
    "modelform_factory",
    "modelformset_factory",
]

# What few need is loaded when it is used: the forms of models load SQLAlchemy.
_WHERE = {
    "ALL_FIELDS": "models",
    "ExistsIn": "models",
    "ModelChoiceField": "models",
    "ModelChoiceIterator": "models",
    "ModelForm": "models",
    "ModelMultipleChoiceField": "models",
    "UniqueIn": "models",
    "construct_instance": "models",
    "fields_for_model": "models",
    "formfield": "models",
    "model_to_dict": "models",
    "modelform_factory": "models",
    "BaseFormSet": "formsets",
    "ManagementForm": "formsets",
    "formset_factory": "formsets",
    "BaseInlineFormSet": "modelformsets",
    "BaseModelFormSet": "modelformsets",
    "inlineformset_factory": "modelformsets",
    "modelformset_factory": "modelformsets",
    "StructForm": "structs",
    "form_for": "structs",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"segue.forms has no {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
