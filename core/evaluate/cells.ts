import type { Calendar, DayKind } from '../model/calendar.ts';

/** Hour of day and kind of day: `13|weekday`. */
export type Cell = string;

const latestTime = 8.64e15;

/**
 * The cell of the week that a window belongs to: the hour of day at which it starts, and whether that day is a weekday
 * or at the weekend, in the calendar's time zone. A window belongs wholly to the cell of its start. Where clocks are
 * put back two windows share an hour, where they are put forward one hour has none.
 * @param windowStart milliseconds since the epoch
 * @throws {RangeError} on a time that is no date and on a time zone that is not known.
 */
export function cellOfWindow(windowStart: number, calendar: Calendar): Cell {
  return createCellReader(calendar)(windowStart);
}

/** The same for many windows: looking a time zone up takes longer than reading a time in it. */
export function createCellReader(calendar: Calendar): (windowStart: number) => Cell {
  const days = new Map(calendar.days);
  const read = calendar.timeZone === 'UTC' ? readUtc : createZoneReader(calendar.timeZone);
  return (windowStart) => {
    if (!(Math.abs(windowStart) <= latestTime)) {
      throw new RangeError(`cell: expected the start of a window in milliseconds since the epoch, saw ${windowStart}`);
    }
    const { date, hour, weekday } = read(windowStart);
    const kind: DayKind = days.get(date) ?? (weekday === 0 || weekday === 6 ? 'weekend' : 'weekday');
    return `${String(hour).padStart(2, '0')}|${kind}`;
  };
}

interface LocalTime {
  /** `2026-12-25`. */
  readonly date: string;
  readonly hour: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

function readUtc(time: number): LocalTime {
  const date = new Date(time);
  return { date: date.toISOString().slice(0, 10), hour: date.getUTCHours(), weekday: date.getUTCDay() };
}

/** Offsets change at quarters of an hour at the finest, so that one look-up serves every window that starts in it. */
const quarterHour = 900_000;

function createZoneReader(timeZone: string): (time: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  });
  return (time) => {
    const parts = new Map(
      format.formatToParts(Math.floor(time / quarterHour) * quarterHour).map(({ type, value }) => [type, value]),
    );
    const [year, month, day] = [parts.get('year') ?? '', parts.get('month') ?? '', parts.get('day') ?? ''];
    return {
      date: `${year.padStart(4, '0')}-${month}-${day}`,
      hour: Number(parts.get('hour')),
      weekday: new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay(),
    };
  };
}
