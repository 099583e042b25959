import { MAX_TIME, MIN_TIME } from './limits.ts';

export const TIME_RANGE = 'outside the range of dates: is its unit milliseconds?';

/**
 * RFC 3339, section 5.6, as Java's `Instant` and `OffsetDateTime`, Python's `isoformat` and Go's `RFC3339Nano` write
 * it: letters in either case, a space in place of the T, any number of decimals, seconds left out. The zone must be
 * there; without one the instant would depend on where Moderato runs.
 */
const INSTANT =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const LONGEST = 64;
const MINUTE = 60_000;

/** Whether `time`, in ms since the epoch, is an instant that every encoding keeps exactly. */
export function isTimeInRange(time: number): boolean {
  return Number.isInteger(time) && time >= MIN_TIME && time <= MAX_TIME;
}

/**
 * Milliseconds since the epoch, decimals beyond them cut off; undefined for any other text and for dates and times
 * that do not exist: the 30th of February, hour 24. A leap second, which is 23:59:60 UTC at the end of a month, is
 * read as 23:59:59 with its decimals, as Java does.
 */
export function parseInstant(text: string): number | undefined {
  const match = text.length <= LONGEST ? INSTANT.exec(text) : null;
  if (!match) return undefined;
  const [, day = '', hour = '', minute = '', second = '00', decimals = ''] = match;
  const [, , , , , , sign = '+', zoneHour = '00', zoneMinute = '00'] = match;

  const midnight = new Date(`${day}T00:00:00Z`);
  // V8 takes the 30th of February for the 2nd of March.
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) {
    return undefined;
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;

  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const minuteStart = midnight.getTime() + (Number(hour) * 60 + Number(minute) - offset) * MINUTE;
  const isLeap = second === '60';
  if (isLeap && !endsMonth(minuteStart + MINUTE)) return undefined;
  const millis = Number(decimals.slice(0, 3).padEnd(3, '0'));
  return minuteStart + (isLeap ? 59 : Number(second)) * 1_000 + millis;
}

/** Whether a month of UTC ends at `time`. */
function endsMonth(time: number): boolean {
  const date = new Date(time);
  return date.getUTCDate() === 1 && time % 86_400_000 === 0;
}
