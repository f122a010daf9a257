"""What methods with a language stage are handed while they are checked: fits of the toy's languages."""

from __future__ import annotations

from xlt_bench.conformance.toy import Toy
from xlt_bench.method import Context, LanguageFits, Method, WithLanguageStage
from xlt_bench.resources import language_texts
from xlt_bench.runs.language_stage import fit_language
from xlt_bench.task import Task


def toy_languages(method: Method, task: Task, context: Context, form: Toy) -> LanguageFits:
    """Fits of the sources, and of the targets whose text the method declares; none of other methods.

    Args:
        task: the toy, with the sources' and the targets' data.
        context: of the fit on labels, with its resources.
        form: of the toy.
    """
    if not isinstance(method, WithLanguageStage):
        return LanguageFits()
    texts = language_texts(task, form.sources, form.targets, context.resources)
    fits = {language: fit_language(method, language, of_language, context) for language, of_language in texts.items()}
    return LanguageFits(fits, form.sources)
