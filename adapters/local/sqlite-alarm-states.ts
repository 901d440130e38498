import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { AlarmStateStore } from '../../core/pipeline/ports.ts';
import { expectText, expectTime, readInteger, readText } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

export class SqliteAlarmStates implements AlarmStateStore {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  get(alarm: string): { readonly value: AlarmStateValue; readonly since: number } | undefined {
    const row = this.#database.first('SELECT value, since FROM alarm_states WHERE alarm = ?', alarm);
    return row && { value: readState(alarm, readText(row, 'value')), since: readInteger(row, 'since') };
  }

  set(alarm: string, value: AlarmStateValue, since: number): void {
    this.#database.run(
      'INSERT OR REPLACE INTO alarm_states (alarm, value, since) VALUES (?, ?, ?)',
      expectText('alarm', alarm),
      value,
      expectTime(`alarm ${alarm}`, since),
    );
  }
}

function readState(alarm: string, text: string): AlarmStateValue {
  if (text === 'OK' || text === 'ALARM' || text === 'INSUFFICIENT_DATA') return text;
  throw new TypeError(`alarm ${alarm}: expected OK, ALARM or INSUFFICIENT_DATA, saw ${JSON.stringify(text)}`);
}
