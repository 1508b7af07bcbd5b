/**
 * Status codes of ubus (ubusmsg.h) and the one error class of this package. Conditions that the client itself finds
 * (no answer, connection gone, queue full) use the code that libubus would use for them.
 */
export const UbusStatus = {
  OK: 0,
  INVALID_COMMAND: 1,
  INVALID_ARGUMENT: 2,
  METHOD_NOT_FOUND: 3,
  NOT_FOUND: 4,
  NO_DATA: 5,
  PERMISSION_DENIED: 6,
  TIMEOUT: 7,
  NOT_SUPPORTED: 8,
  UNKNOWN_ERROR: 9,
  CONNECTION_FAILED: 10,
  NO_MEMORY: 11,
  PARSE_ERROR: 12,
  SYSTEM_ERROR: 13,
} as const;

export type UbusStatusName = keyof typeof UbusStatus;

/** Words of ubus_strerror, so that messages read like those of the ubus command. */
const STATUS_TEXT: Readonly<Record<UbusStatusName, string>> = {
  OK: 'Success',
  INVALID_COMMAND: 'Invalid command',
  INVALID_ARGUMENT: 'Invalid argument',
  METHOD_NOT_FOUND: 'Method not found',
  NOT_FOUND: 'Not found',
  NO_DATA: 'No response',
  PERMISSION_DENIED: 'Permission denied',
  TIMEOUT: 'Request timed out',
  NOT_SUPPORTED: 'Operation not supported',
  UNKNOWN_ERROR: 'Unknown error',
  CONNECTION_FAILED: 'Connection failed',
  NO_MEMORY: 'Out of memory',
  PARSE_ERROR: 'Parsing message data failed',
  SYSTEM_ERROR: 'System error',
};

const NAMES = Object.keys(UbusStatus) as UbusStatusName[];

/** Name of a status code; a code that ubus does not know counts as UNKNOWN_ERROR. */
export function statusName(status: number): UbusStatusName {
  return NAMES[status] ?? 'UNKNOWN_ERROR';
}

/** What the ubus command prints for a status code. */
export function statusText(status: number): string {
  return STATUS_TEXT[statusName(status)];
}

/**
 * A request that did not end with STATUS 0.
 * `status` is the number as received, `code` is stable text such as "UBUS_NOT_FOUND".
 */
export class UbusError extends Error {
  override readonly name = 'UbusError';
  readonly status: number;
  readonly code: `UBUS_${UbusStatusName}`;

  constructor(status: number, what: string, options?: ErrorOptions) {
    super(`${what}: ${statusText(status)} (${status})`, options);
    this.status = status;
    this.code = `UBUS_${statusName(status)}`;
  }
}
