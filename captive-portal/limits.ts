/** Every bound on what guests can make the portal hold or do, with its reason. */

/** The largest honest body is an open request, about 1.7 kB of JSON. */
export const MAX_BODY_BYTES = 16_384;
/** Objects in an open request nest three deep. */
export const MAX_JSON_DEPTH = 8;
/** Probe URLs with their parameters stay below 300 characters. */
export const MAX_URL_LENGTH = 2_048;
/** Browsers on phones send 1-2 kB of headers. */
export const MAX_HEADER_BYTES = 8_192;

/** A whole request must have arrived within this time (slow body). */
export const REQUEST_TIMEOUT_MS = 8_000;
/** Its headers within this (slowloris). */
export const HEADERS_TIMEOUT_MS = 5_000;
/** A page load needs its connection for a second or two; idle ones make room. */
export const KEEP_ALIVE_MS = 4_000;
/** How often Node looks for connections that broke the limits above. */
export const CONNECTION_CHECK_MS = 1_000;
/**
 * No byte either way for this long ends a connection (slow reader). Above the heartbeat of event streams, and long enough for
 * an open request to wait for its block.
 */
export const SOCKET_IDLE_MS = 60_000;

/** Browsers open at most 6 connections to a host; a phone's sheet and its probes some more. */
export const MAX_CONNECTIONS_PER_ADDRESS = 16;
/** A guest has several IPv6 addresses; all of them together get little more than one. */
export const MAX_CONNECTIONS_PER_GUEST = 24;
/** 500 guests whose pages poll and 200 that follow a stream, and some to come; about 30 kB of memory each. */
export const MAX_CONNECTIONS = 800;
/** Of those who have paid nothing together: made-up MACs, and trials that they begin, leave room for guests who have. */
export const MAX_CONNECTIONS_OF_UNPAID = 600;

/** Requests of one connection that wait for their answers: one, and those that cross the end of the one before. */
export const MAX_UNANSWERED_REQUESTS = 4;
/** A browser's whole request. Of one who sends hundreds in one piece no more is read than this before the connection is ended. */
export const MAX_PARSED_AT_ONCE_BYTES = 2_048;

/** Connections that have not said yet whether they are http or https. */
export const MAX_WAITING_AT_DOOR = 200;

/** Requests for the page that are answered again without being parsed: a few browsers, ten languages, four files. */
export const MAX_REMEMBERED_REQUESTS = 128;
/** Browsers ask for a page in 300 to 700 bytes over plain http. */
export const MAX_REMEMBERED_REQUEST_BYTES = 1_024;

/** A guest's page and the same page in the phone's sign-in sheet, and one to spare. */
export const MAX_STREAMS_PER_GUEST = 3;
export const MAX_STREAMS = 200;
/** Sends the view even if nothing changed, so that both ends notice a dead connection. */
export const STREAM_HEARTBEAT_MS = 15_000;
/** Five minutes: streams of phones that went away without a word do not fill the room for longer. */
export const MAX_STREAM_BEATS = 20;
/** A reader this far behind gets no more until it has caught up: the next view replaces the ones it missed. */
export const MAX_STREAM_BACKLOG_BYTES = 16_384;

/** Paying as you go signs about two vouchers a second at full speed. */
export const RATE_REFILL_PER_S = 5;
/** Opening the page, the trial and a package in quick succession never comes near this. */
export const RATE_BURST = 20;
/** Guests remembered by the rate limit; the one unseen longest is forgotten first. */
export const MAX_RATED_GUESTS = 1_024;
