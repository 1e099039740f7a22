"""Everything that a Failed receipt can say to an agent: a code for Genesys and plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actors.messages import ReasonCode


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message will not go out, and what the agent can do.

    ``sentence`` may have places to be filled in, such as ``{word}``.
    """

    code: ReasonCode
    sentence: str


# --- what Genesys sent ---------------------------------------------------------------------

EMPTY = Reason("InvalidMessageStructure", "The message has no text.")
UNREADABLE = Reason("InvalidMessageStructure", "The connector could not read this message.")
STRUCTURED = Reason(
    "UnsupportedMessage", "Buttons, cards and quick replies cannot be sent to Bluesky: send text."
)
UNKNOWN_KIND = Reason("UnsupportedMessage", "This kind of message cannot be sent to Bluesky.")
UNKNOWN_CONTENT = Reason("UnsupportedMessage", "This kind of content cannot be sent to Bluesky.")
UNKNOWN_FILE = Reason("MediaTypeNotAllowed", "This kind of file cannot be sent to Bluesky.")
NO_TARGET = Reason(
    "InvalidDestination",
    "It is not known which post this answers: answer a post of the conversation.",
)
NO_POST = Reason("InvalidDestination", "What this answers is no post on Bluesky.")
NO_PERSON = Reason("InvalidDestination", "Genesys did not say which Bluesky account this is for.")
TOO_LONG = Reason(
    "InvalidMessageStructure",
    "The message is too long: it would take {parts} posts or messages, and {most} is the most. "
    "Shorten it.",
)

# --- commands ------------------------------------------------------------------------------

HELP = Reason("UnsupportedMessage", "Nothing failed: only so can Genesys show this. {commands}")
NO_COMMAND = Reason(
    "UnsupportedMessage", "!{typed} is not a command, and nothing was posted. {commands}"
)
COMMAND_OFF = Reason(
    "UnsupportedMessage",
    "!{word} is switched off for this company, and nothing was posted. {commands}",
)
TEXT_MISSING = Reason(
    "UnsupportedMessage", "!{word} needs a text behind it: nothing was done. Send both together."
)
STANDS_ALONE = Reason(
    "UnsupportedMessage", "!{word} stands alone: nothing was done. Send the text separately."
)
NO_FILES = Reason(
    "UnsupportedMessage", "!{word} takes no files: nothing was done. Send them separately."
)
PUBLIC_COMMAND = Reason(
    "UnsupportedMessage",
    "!{word} belongs to a public answer, and nothing was done: use it there.",
)
OWN_ACCOUNT = Reason(
    "InvalidDestination", "This is the company's own account: !{word} is for other people's."
)
NOTHING_TO_DELETE = Reason(
    "InvalidDestination",
    "There is no post of ours in this conversation that the connector remembers. "
    "Delete it on Bluesky.",
)
NOT_OUR_THREAD = Reason(
    "MessageNotAllowed",
    "Only replies in a thread that the company's account began can be hidden.",
)
MOST_HIDDEN = Reason(
    "MessageNotAllowed",
    "So many replies are hidden in this thread that Bluesky takes no more. "
    "Show some of them again on Bluesky.",
)
QUOTES_DISABLED = Reason("MessageNotAllowed", "The author does not let this post be quoted.")
BY_LIST = Reason(
    "MessageNotAllowed",
    "This person is muted or blocked by a moderation list of the company's account. "
    "Change the list on Bluesky.",
)

# --- files ---------------------------------------------------------------------------------

NO_IMAGE = Reason(
    "MediaTypeNotAllowed",
    "{name} is {kind} and cannot be posted on Bluesky: only JPEG, PNG, WebP and GIF images can be "
    "attached to a public answer. Nothing of this message was sent.",
)
TOO_MANY_IMAGES = Reason(
    "InvalidMessageStructure", "A post can have {most} images. Nothing of this message was sent."
)
FILE_NO_IMAGE = Reason(
    "MediaTypeNotAllowed",
    "{name} was not posted. It is no image: only JPEG, PNG, WebP and GIF images can be attached to "
    "a public answer.",
)
FILE_BROKEN = Reason("MediaTypeNotAllowed", "{name} was not posted. The image is broken.")
FILE_TOO_LARGE = Reason(
    "InvalidMediaContentLength", "{name} was not posted. The image is too large."
)
FILE_GONE = Reason(
    "GeneralError", "{name} was not posted. Genesys Cloud does not hand the file out any more."
)
FILE_CLOSED = Reason(
    "GeneralError",
    "{name} was not posted. Genesys Cloud does not hand the file out to the connector.",
)
FILE_ADDRESS = Reason(
    "MediaTypeNotAllowed",
    "{name} was not posted. It lies at an address from which nothing is fetched.",
)
FILE_REFUSED = Reason("GeneralError", "{name} was not posted. It was refused: {said}.")
FILE_IN_MESSAGE = Reason(
    "MediaTypeNotAllowed",
    "Direct messages on Bluesky carry no files. Nothing of this message was sent: send the text "
    "alone, or the image as a public answer.",
)
LINK_IN_MESSAGE = Reason(
    "MediaTypeNotAllowed",
    "Direct messages on Bluesky carry no files, and a link to this one would not open: it lies in "
    "Genesys Cloud, for those who are logged in there. Nothing was sent: put it where anybody can "
    "open it, and send the address.",
)

# --- the post and the people ---------------------------------------------------------------

POST_DELETED = Reason("InvalidDestination", "The post was deleted.")
ROOT_DELETED = Reason("InvalidDestination", "The first post of this thread was deleted.")
POST_DAMAGED = Reason("InvalidDestination", "The post is damaged: it or its thread cannot be read.")
THREAD_LOCKED = Reason(
    "MessageNotAllowed",
    "The author has limited who may reply to this post, and the company may not.",
)
BLOCKED_BY = Reason(
    "MessageNotAllowed", "This person has blocked the company's account on Bluesky."
)
BLOCKING = Reason("MessageNotAllowed", "The company's account has blocked this person on Bluesky.")
ACCOUNT_GONE = Reason(
    "InvalidDestination", "This person's Bluesky account is deleted, deactivated or suspended."
)

FORGOTTEN = Reason(
    "RecipientOptedOut",
    "This person's data were deleted at their request, and the message was not sent.",
)

# --- direct messages -----------------------------------------------------------------------

MESSAGES_DISABLED = Reason(
    "RecipientOptedOut",
    "This person does not accept direct messages on Bluesky. Answer in public instead.",
)
MESSAGES_FROM_FOLLOWED = Reason(
    "RecipientOptedOut",
    "This person accepts direct messages only from accounts that they follow on Bluesky. "
    "Answer in public instead.",
)
MESSAGES_BLOCKED = Reason(
    "MessageNotAllowed",
    "This person and the company's account cannot exchange direct messages: "
    "one has blocked the other on Bluesky.",
)
CONVERSATION_GONE = Reason(
    "InvalidDestination", "The conversation with this person does not exist on Bluesky any more."
)
CONVERSATION_LOCKED = Reason(
    "MessageNotAllowed", "The conversation with this person is locked on Bluesky."
)
MESSAGES_NOT_PERMITTED = Reason(
    "MessageNotAllowed",
    "The connector's app password may not send direct messages. Tell its administrator, "
    "and answer in public meanwhile. ({said})",
)

# --- the company's account and Bluesky itself ----------------------------------------------

OWN_ACCOUNT_CLOSED = Reason(
    "GeneralError",
    "The company's Bluesky account is suspended or deactivated. Tell its administrator.",
)
LOGIN_REFUSED = Reason(
    "GeneralError",
    "Bluesky refuses the connector's login, and nothing was done. Tell its administrator.",
)
RATE_LIMITED = Reason(
    "RateLimited", "Bluesky takes nothing more from the company's account until {until}. {done}"
)
EXPIRED = Reason("MessageExpired", "Bluesky did not take it within {minutes} minutes. {done}")
NOT_KNOWN = Reason(
    "GeneralError",
    "Bluesky stopped answering while this was sent, and whether it went out is not known. "
    "It will not be sent any more: look on Bluesky before you send it again.",
)
CRASHED = Reason(
    "GeneralError",
    "The connector failed on this message, and whether it went out is not known. "
    "It will not be sent any more: look on Bluesky before you send it again.",
)
OTHER_RELEASE = Reason(
    "GeneralError",
    "The connector could not read this message, and it was not sent. Send it again.",
)
TAKEN = Reason("GeneralError", "Another post stands in the place of this one. Send it again.")
RECORD_TOO_LONG = Reason(
    "InvalidMessageStructure", "The message is too large for Bluesky. Shorten it."
)
MEDIA_REFUSED = Reason("MediaTypeNotAllowed", "Bluesky does not accept the file. ({said})")
INVALID = Reason("InvalidMessageStructure", "Bluesky does not accept the message as it is: {said}")
REFUSED = Reason("GeneralError", "Bluesky refused it: {said}")
PARTLY = "Only the first {done} of {total} went out, the rest did not."
"""Stands before the sentence of any reason when a part is on Bluesky already."""
PARTLY_DELETED = "Only the last {done} of {total} is deleted, the rest is still there."
"""The same for a deletion, which begins with the last part."""


REASONS: Mapping[str, Reason] = {
    name: value for name, value in tuple(globals().items()) if isinstance(value, Reason)
}
"""All of them by name: docs/agents.md has a line for each."""
