/** A changed setting, as it would stand in the configuration. */
export interface SettingChange {
  /** `models[0].drift.minimumEffect`. */
  readonly setting: string;
  readonly model?: string | undefined;
  readonly path: SettingPath;
  readonly from: number | string;
  readonly to: number | string;
}

export type SettingPath = readonly (string | number)[];

/** `models[0].features["a b"].minimumEffect`: as it would be written in the configuration's own language. */
export function settingText(path: SettingPath): string {
  return path
    .map((part, at) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return at === 0 ? part : `.${part}`;
    })
    .join('');
}

/** A copy of a configuration with some settings changed. */
export function applyChanges(raw: unknown, changes: readonly SettingChange[]): unknown {
  let changed = raw;
  for (const { path, to } of changes) changed = writeAt(changed, path, to);
  return changed;
}

function writeAt(value: unknown, [key, ...rest]: SettingPath, to: unknown): unknown {
  if (key === undefined) return to;
  if (typeof key === 'number') {
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    return items.map((item, index) => (index === key ? writeAt(item, rest, to) : item));
  }
  const members = typeof value === 'object' && value !== null ? value : {};
  return { ...members, [key]: writeAt(readAt(value, [key]), rest, to) };
}

export function readAt(value: unknown, [key, ...rest]: SettingPath): unknown {
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const member = Object.entries(value).find(([name]) => name === String(key))?.[1];
  return readAt(member, rest);
}
