"""Phrases and formatting that the report formats share, in the six UN languages.

Phrases come in Arabic, Chinese, English, French, Russian and Spanish, English being the fallback. Terms are
shown as in Turtle on one line, positions as `file:line:column`, which editors and terminals recognize. An
unreadable file has the members of a problem document (RFC 9457) without a request.
"""

from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.formats import MARKDOWN, WORD_DOCUMENT
from ...rdf.namespaces import PAPER_NAMESPACE, shorten_iri
from ...settings import Settings
from ...text import shorten_untrusted_text
from ..engines import Term
from ..findings import (
    STATE_DONE,
    STATE_FAULTY,
    STATE_MISSING,
    STATE_NOT_CHECKED,
    STATE_WAIVED,
    Finding,
    PaperReport,
)
from ..rules import MESSAGE_LANGUAGES, Rule

RIGHT_TO_LEFT_LANGUAGES = {"ar"}

# By language; what stands in braces is filled in. No phrase depends on a number, so none needs a plural.
REPORT_PHRASES = {
    "Violation": {"ar": "خطأ", "en": "error", "es": "error", "fr": "erreur", "ru": "ошибка", "zh": "错误"},
    "Warning": {
        "ar": "تحذير",
        "en": "warning",
        "es": "advertencia",
        "fr": "avertissement",
        "ru": "предупреждение",
        "zh": "警告",
    },
    "Info": {
        "ar": "ملاحظة",
        "en": "note",
        "es": "nota",
        "fr": "remarque",
        "ru": "замечание",
        "zh": "提示",
    },
    STATE_DONE: {
        "ar": "مكتمل",
        "en": "done",
        "es": "completo",
        "fr": "complet",
        "ru": "готово",
        "zh": "已完成",
    },
    STATE_MISSING: {
        "ar": "غير موجود",
        "en": "missing",
        "es": "falta",
        "fr": "manquant",
        "ru": "отсутствует",
        "zh": "缺失",
    },
    STATE_FAULTY: {
        "ar": "فيه أخطاء",
        "en": "faulty",
        "es": "con errores",
        "fr": "erroné",
        "ru": "с ошибками",
        "zh": "有误",
    },
    STATE_WAIVED: {
        "ar": "إعفاء",
        "en": "waived",
        "es": "exención",
        "fr": "dérogation",
        "ru": "исключение",
        "zh": "豁免",
    },
    STATE_NOT_CHECKED: {
        "ar": "لم يُفحص",
        "en": "not checked",
        "es": "sin comprobar",
        "fr": "non vérifié",
        "ru": "не проверено",
        "zh": "未检查",
    },
    "conforms": {
        "ar": "مطابق للمواصفة {profile}",
        "en": "conforms to the profile {profile}",
        "es": "conforme con el perfil {profile}",
        "fr": "conforme au profil {profile}",
        "ru": "соответствует профилю {profile}",
        "zh": "符合规范 {profile}",
    },
    "fails": {
        "ar": "غير مطابق للمواصفة {profile}",
        "en": "does not conform to the profile {profile}",
        "es": "no conforme con el perfil {profile}",
        "fr": "non conforme au profil {profile}",
        "ru": "не соответствует профилю {profile}",
        "zh": "不符合规范 {profile}",
    },
    "unread": {
        "ar": "لم يُفحص هذا الملف",
        "en": "this file was not checked",
        "es": "este archivo no se ha comprobado",
        "fr": "ce fichier n’a pas été vérifié",
        "ru": "этот файл не проверен",
        "zh": "此文档未经检查",
    },
    "completeness": {
        "ar": "الأجزاء الموجودة: {met} من {parts}",
        "en": "{met} of {parts} parts are there",
        "es": "partes presentes: {met} de {parts}",
        "fr": "parties présentes : {met} sur {parts}",
        "ru": "частей есть: {met} из {parts}",
        "zh": "已有部分：{met}/{parts}",
    },
    "waived parts": {
        "ar": "إعفاءات: {count}",
        "en": "waived: {count}",
        "es": "exenciones: {count}",
        "fr": "dérogations : {count}",
        "ru": "исключений: {count}",
        "zh": "豁免：{count}",
    },
    "flawless": {
        "ar": "لا شيء يحتاج إلى إصلاح.",
        "en": "Nothing to mend.",
        "es": "Nada que corregir.",
        "fr": "Rien à corriger.",
        "ru": "Исправлять нечего.",
        "zh": "无需修改。",
    },
    "example": {
        "ar": "مثال",
        "en": "Example",
        "es": "Ejemplo",
        "fr": "Exemple",
        "ru": "Пример",
        "zh": "示例",
    },
    "suggestion": {
        "ar": "هل تقصد {suggestion}؟",
        "en": "Did you mean {suggestion}?",
        "es": "¿Quería decir {suggestion}?",
        "fr": "Vouliez-vous dire {suggestion} ?",
        "ru": "Возможно, имелось в виду {suggestion}?",
        "zh": "您是否指 {suggestion}？",
    },
    "waiver": {
        "ar": "إعفاء: {reason}",
        "en": "Waived: {reason}",
        "es": "Exención: {reason}",
        "fr": "Dérogation : {reason}",
        "ru": "Исключение: {reason}",
        "zh": "豁免：{reason}",
    },
    "left out": {
        "ar": "نتائج أخرى لم تُعرض: {count}",
        "en": "Findings that are not shown: {count}",
        "es": "Resultados que no se muestran: {count}",
        "fr": "Constats non affichés : {count}",
        "ru": "Не показано результатов: {count}",
        "zh": "未显示的结果：{count}",
    },
    "sections": {
        "ar": "أقسام النموذج",
        "en": "Sections of the template",
        "es": "Secciones de la plantilla",
        "fr": "Sections du modèle",
        "ru": "Разделы шаблона",
        "zh": "模板各节",
    },
    "section": {
        "ar": "القسم",
        "en": "Section",
        "es": "Sección",
        "fr": "Section",
        "ru": "Раздел",
        "zh": "章节",
    },
    "state": {"ar": "الحالة", "en": "State", "es": "Estado", "fr": "État", "ru": "Состояние", "zh": "状态"},
    "findings": {
        "ar": "النتائج",
        "en": "Findings",
        "es": "Resultados",
        "fr": "Constats",
        "ru": "Результаты",
        "zh": "检查结果",
    },
    "line": {
        "ar": "السطر {line}، العمود {column}",
        "en": "Line {line}, column {column}",
        "es": "Línea {line}, columna {column}",
        "fr": "Ligne {line}, colonne {column}",
        "ru": "Строка {line}, столбец {column}",
        "zh": "第 {line} 行，第 {column} 列",
    },
    "text": {
        "ar": "نص الملف",
        "en": "The text of the file",
        "es": "El texto del archivo",
        "fr": "Le texte du fichier",
        "ru": "Текст файла",
        "zh": "文档原文",
    },
    "text cut": {
        "ar": "تُعرض الأسطر الأولى فقط: {shown} من {lines}",
        "en": "Only the first lines are shown: {shown} of {lines}",
        "es": "Solo se muestran las primeras líneas: {shown} de {lines}",
        "fr": "Seules les premières lignes sont affichées : {shown} sur {lines}",
        "ru": "Показаны только первые строки: {shown} из {lines}",
        "zh": "仅显示前面的行：{shown}/{lines}",
    },
    "report": {
        "ar": "تقرير الفحص",
        "en": "Report of the check",
        "es": "Informe de la comprobación",
        "fr": "Rapport de vérification",
        "ru": "Отчет о проверке",
        "zh": "检查报告",
    },
    "total": {
        "ar": "الملفات: {files}؛ مطابقة: {good}؛ غير مطابقة: {bad}؛ لم تُفحص: {unread}",
        "en": "Files: {files}; conforming: {good}; not conforming: {bad}; not checked: {unread}",
        "es": "Archivos: {files}; conformes: {good}; no conformes: {bad}; sin comprobar: {unread}",
        "fr": "Fichiers : {files} ; conformes : {good} ; non conformes : {bad} ; non vérifiés : {unread}",
        "ru": "Файлов: {files}; соответствует: {good}; не соответствует: {bad}; не проверено: {unread}",
        "zh": "文档：{files}；符合：{good}；不符合：{bad}；未检查：{unread}",
    },
}


def format_report_phrase(name: str, language: str, **values: object) -> str:
    """A phrase in a language, or in English where there is no such language, with its values filled in."""
    return REPORT_PHRASES[name][report_language(language)].format(**values)


def completeness_text(paper: PaperReport, language: str) -> str:
    """How many of the parts that the template asks for are there, and how many are waived if any is."""
    said = format_report_phrase("completeness", language, met=paper.met, parts=paper.parts)
    return (
        f"{said}; {format_report_phrase('waived parts', language, count=paper.waived)}"
        if paper.waived
        else said
    )


def report_language(language: str) -> str:
    """The language, or English where nothing is said in it."""
    return language if language in MESSAGE_LANGUAGES else "en"


def writing_direction(language: str) -> str:
    """The direction of writing, as the attribute `dir` of HTML has it."""
    return "rtl" if language in RIGHT_TO_LEFT_LANGUAGES else "ltr"


MAX_SHORT_VALUE_CHARACTERS = 60  # characters of a value beside a sentence


def format_plain_term(term: Term | None) -> str:
    """The IRI or text of a term, `_:` and the label of a blank node, a long one cut; empty for none."""
    if term is None:
        return ""
    return shorten_untrusted_text(str(term) if isinstance(term, ox.BlankNode) else term.value)


def format_paper_iri(paper: PaperReport) -> str:
    """The IRI of a paper, a long one cut; the label of a blank node."""
    return shorten_untrusted_text(paper.iri)


def format_short_term(term: Term) -> str:
    """A term as Turtle has it, in one line: with a prefix where there is one, in quotes, or `[]`; cut."""
    if isinstance(term, ox.NamedNode):
        return format_turtle_iri(shorten_untrusted_text(term.value))
    if isinstance(term, ox.BlankNode):
        return "[]"
    return f'"{shorten_untrusted_text(" ".join(term.value.split()), MAX_SHORT_VALUE_CHARACTERS)}"'


def format_turtle_iri(iri: str) -> str:
    """An IRI with a prefix where it has one; that of a part of a paper with its slashes escaped."""
    found = shorten_iri(iri)
    if found != iri:
        return found
    return (
        "paper:" + iri.removeprefix(PAPER_NAMESPACE).replace("/", r"\/")
        if iri.startswith(PAPER_NAMESPACE)
        else f"<{iri}>"
    )


def finding_term(finding: Finding) -> Term:
    """The term that a finding is about: its value, or the node that lacks something."""
    return finding.focus if finding.value is None else finding.value


def get_rule_example(rule: Rule, media_type: str) -> str:
    """The ready example of how to mend what breaks a rule, in the language of a file of this media type."""
    as_markdown = media_type in (MARKDOWN.media_type, WORD_DOCUMENT.media_type)
    return rule.in_markdown if as_markdown else rule.in_turtle


def format_file_position(name: str, line: int | None, column: int | None) -> str:
    """`file:line:column`, as editors and terminals know it; `file` alone where there is no line."""
    return f"{name}:{line}:{column}" if line else name


def format_finding_place(name: str, finding: Finding) -> str:
    """Where a finding is, as `file:line:column`."""
    return format_file_position(name, *(finding.place or (None, None)))


def format_problem_place(name: str, problem: Problem) -> str:
    """Where the problem of an unreadable file is, as `file:line:column`."""
    return format_file_position(name, problem.members.get("line"), problem.members.get("column"))


def file_problem_members(problem: Problem) -> dict[str, Any]:
    """The members of a problem document (RFC 9457) about a file, which has no request to name."""
    return {name: value for name, value in problem.document(Settings.base, "").items() if name != "instance"}
