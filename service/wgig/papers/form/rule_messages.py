"""What the form says when a paper breaks a rule, in terms of its fields.

The messages in the shapes are for all ways to write a paper, so some speak of Turtle, of names in files, or
of the numbers of the template. For such rules the form has a message of its own.
"""

from ...http.language import translate_message
from ...i18n import gettext_noop
from ...shacl.rules import Rule

ASSESSMENT_MESSAGE = gettext_noop("Missing: %(name)s. Choose a verdict, and explain it.")
ASSESSED_TWICE_MESSAGE = gettext_noop(
    "A mechanism is assessed twice by the same criterion. Keep one of the two assessments."
)
OTHER_DOCUMENT_MESSAGE = gettext_noop(
    "This passage is not in the Declaration. Enter a passage of the Declaration, such as declaration/48."
)
FORM_MESSAGES = {
    "WGIG-0-TITLE-MISSING": gettext_noop("Enter a title."),
    "WGIG-0-TITLE-LANGUAGE": gettext_noop(
        "The title does not have a language. Enter its language tag, such as en."
    ),
    "WGIG-0-LANGUAGE-MISSING": gettext_noop("Enter the language tag of the paper, such as en."),
    "WGIG-0-DRAFTER-MISSING": gettext_noop("Enter the name of at least one drafter."),
    "WGIG-0-DRAFTER-MEMBER": gettext_noop(
        "This drafter is not known to be a member of the working group. Choose a member from the list, or "
        "state the membership below."
    ),
    "WGIG-0-PAGES-VALUE": gettext_noop(
        "The number of pages is not a whole number above zero. Enter a number such as 4."
    ),
    "WGIG-0-WAIVER-MISSING": gettext_noop("Choose the rule that the waiver is for."),
    "WGIG-0-WAIVER-UNKNOWN": gettext_noop(
        "The waiver is for something that is not a rule. Choose a rule from the list."
    ),
    "WGIG-0-ROUND-VALUE": gettext_noop(
        "The round of the paper is not a whole number. The form has no field for it: correct it in the file."
    ),
    "WGIG-1-ISSUE-MISSING": gettext_noop("Choose the issue that the paper is about."),
    "WGIG-1-ISSUE-UNKNOWN": gettext_noop(
        "This issue is not in the inventory. Choose an issue from the list."
    ),
    "WGIG-1-DESCRIPTION-MISSING": gettext_noop("Describe the issue in a few sentences."),
    "WGIG-2-CATEGORY-MISSING": gettext_noop("Select at least one category."),
    "WGIG-2-CATEGORY-UNKNOWN": gettext_noop(
        "One of the selected categories is not one of the five. Clear its box."
    ),
    "WGIG-2-CATEGORY-INVENTORY": gettext_noop(
        "The inventory does not list the issue under one of the selected categories. Check the categories, "
        "or add a waiver of this rule."
    ),
    "WGIG-3-SWOT-MISSING": gettext_noop(
        "Enter at least one strength, one weakness, one opportunity and one threat."
    ),
    "WGIG-3-STRENGTH-MISSING": gettext_noop("Enter at least one strength."),
    "WGIG-3-WEAKNESS-MISSING": gettext_noop("Enter at least one weakness."),
    "WGIG-3-OPPORTUNITY-MISSING": gettext_noop("Enter at least one opportunity."),
    "WGIG-3-THREAT-MISSING": gettext_noop("Enter at least one threat."),
    "WGIG-4-MAIN-MISSING": gettext_noop("Enter the name of the main actor."),
    "WGIG-4-GROUP-MISSING": gettext_noop("Select the stakeholder group of the main actor."),
    "WGIG-4-GROUP-UNKNOWN": gettext_noop(
        "One of the selected boxes is not a stakeholder group. Clear that box."
    ),
    "WGIG-5-FORUM-MISSING": gettext_noop("Describe at least one forum."),
    "WGIG-5A-MISSING": gettext_noop("Describe who takes part in this forum."),
    "WGIG-5B-MISSING": gettext_noop("Describe the nature of this forum."),
    "WGIG-5B-DECIDES-MISSING": gettext_noop("Choose whether this forum makes decisions."),
    "WGIG-5B-DECIDES-VALUE": gettext_noop("The forum makes decisions or it does not. Choose yes or no."),
    "WGIG-5B-PROCEDURE-MISSING": gettext_noop("Describe how this forum makes decisions."),
    "WGIG-6-MECHANISM-MISSING": gettext_noop("Describe at least one governance mechanism."),
    "WGIG-6A-MISSING": gettext_noop("Describe the objectives of this mechanism."),
    "WGIG-6B-MISSING": gettext_noop("Describe the content of this mechanism."),
    **dict.fromkeys((f"WGIG-7{letter}-MISSING" for letter in "ABCDEF"), ASSESSMENT_MESSAGE),
    **dict.fromkeys((f"WGIG-7{letter}-TWICE" for letter in "ABCDEF"), ASSESSED_TWICE_MESSAGE),
    "WGIG-7-JUDGED-TWICE": ASSESSED_TWICE_MESSAGE,
    "WGIG-7-CRITERION-MISSING": gettext_noop("Choose the criterion of this assessment."),
    "WGIG-7-CRITERION-UNKNOWN": gettext_noop("Choose a criterion from the list."),
    "WGIG-7-VERDICT-MISSING": gettext_noop("Choose a verdict."),
    "WGIG-7-VERDICT-UNKNOWN": gettext_noop("Choose a verdict from the list."),
    "WGIG-7-RATIONALE-MISSING": gettext_noop("Explain the verdict."),
    "WGIG-7-CITATION-MISSING": gettext_noop(
        "Enter the passage of the Declaration that the verdict is based on, such as declaration/48."
    ),
    "WGIG-7-MECHANISM-MISSING": gettext_noop("Select the mechanism that you assess."),
    "WGIG-7-MECHANISM-UNKNOWN": gettext_noop(
        "One of the selected mechanisms is neither in section 6 nor in the graph. Clear its box."
    ),
}


def rule_message(rule: Rule, language: str) -> tuple[str, str]:
    """What the form says when a paper breaks a rule, and the language of the text."""
    if rule.code not in FORM_MESSAGES:
        return rule.message_in(language), language
    text, text_language = translate_message(FORM_MESSAGES[rule.code])
    return text.replace("%(name)s", rule.name.get(text_language, rule.name["en"])), text_language
