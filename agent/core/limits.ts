/** Bounds on everything that outsiders drive, each with its reason. */

/** Addresses of one station: IPv6 privacy extensions use 1-8 at a time; RFC 7934 advises to allow at least 8. */
export const MAX_ADDRESSES_PER_STATION = 64;
/**
 * Addresses that a station may claim by its packets within a minute: half as many again as it may have at a time. Each is a
 * change of the packet filter and of the journal. What dnsmasq has leased does not count.
 */
export const MAX_CLAIMS_PER_MINUTE = 96;
/** Devices that share one channel: a person's phone, laptop, tablet and some spare. */
export const MAX_STATIONS_PER_SESSION = 8;
/** Sessions that the kernel tables are sized for; more guests than any access point associates. */
export const MAX_SESSIONS = 4096;
/** Stations remembered without a session (probing phones, MAC storms); the least recently seen are forgotten first. */
export const MAX_IDLE_STATIONS = 4096;
/** Seconds of online time that a kernel quota leaves room for, so that a late tick cannot charge beyond the credit. */
export const TIME_RESERVE_MS = 10_000;
/** Share of the credit left at which the guest is warned: one tenth. */
export const LOW_CREDIT_DIVISOR = 10n;
/** Below this a quota counts as used up: not even one full-size packet fits. */
export const ONE_PACKET_BYTES = 1500n;
/** Chains on which SSP is worth nothing, so that a faucet may give it: anvil and Hardhat, and the older Ganache. */
export const DEVELOPMENT_CHAINS: readonly bigint[] = [31_337n, 1_337n];
/** First and longest wait between attempts to send a close or a batch of claims (retry-schedule.ts). */
export const CLOSE_RETRY_MIN_MS = 2_000;
export const CLOSE_RETRY_MAX_MS = 600_000;
/** Opens one MAC may have the router relay per hour: each costs the router gas until openFee is claimed. */
export const MAX_OPENS_PER_MAC_PER_HOUR = 6;
/** Opens of all guests together per hour: bounds the gas a MAC-changing guest can make the router spend. */
export const MAX_OPENS_PER_HOUR = 120;
/** Opens of all guests together per day: a guest house of 200 rooms, three times over. As many outlive a restart. */
export const MAX_OPENS_PER_DAY = 600;
/**
 * Opens of all guests together that came to nothing within a minute: each is some signatures and a handful of questions to the
 * chain, whose endpoints count questions. By the minute, so that who makes up keys keeps others waiting, not out.
 */
export const MAX_FREE_OPENS_PER_MINUTE = 60;
/** Those of the last hour, which count for their MAC: as many as a minute allows, and what was under way beside them. */
export const MAX_FREE_OPENS = 4096;
/** Deposits that one device has promised to make by its own wallet, and that are not on chain yet: a wrong one or two. */
export const MAX_PENDING_PULLS_PER_MAC = 3;
/** The same of all devices: one look at the chain each in every round of looks. */
export const MAX_PENDING_PULLS = 64;
/** MACs whose trial use is remembered for the day. Beyond it no new trial starts: memory and gift are both bounded. */
export const MAX_TRIAL_MACS = 4096;
/** Of a trial that is bounded by time only: one such trial takes at most this part of what all may take in a day. */
export const TIMED_TRIALS_PER_DAY = 20n;
/** Channels of sisters whose last hand-over is remembered: about 1 KiB each, until the channel has expired. */
export const MAX_CUSTODIES = 4096;
/** Settled sessions kept in memory for the guest's last look at the refund. */
export const MAX_SETTLED_SESSIONS = 256;
/** Largest packet the forward hook can see (GRO merges up to 64 KiB): what a cut may leave unsold at most. */
export const MAX_PACKET_BYTES = 65_536n;
/** How often the byte allowance of time-priced sessions follows the clock (below TIME_RESERVE_MS), and ticks are written. */
export const TIME_REFRESH_MS = 5_000;
/** The longest pause: a lunch, a lecture, a film. Then the rest of the deposit goes back: money is not kept for who forgot it. */
export const MAX_PAUSE_MS = 4 * 3_600_000;
/** How long a device may take to answer a challenge: the page signs at once, a slow phone on bad air needs some seconds. */
export const CHALLENGE_MS = 60_000;
/** Challenges waiting for their answer, one per device: 4096 asked within the second that an honest answer takes are a storm. */
export const MAX_CHALLENGES = 4096;
/** From the agent's start to the first batch of claims: by then it is known which of the last run's were mined. */
export const FIRST_CLAIM_MS = 60_000;
