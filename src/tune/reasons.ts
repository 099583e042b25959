/** Why each setting was chosen, in words. Pure. */
import { fastest, type Result } from './choose.ts';
import type { Stage, Tuning } from './search.ts';
import type { SettingName } from './settings.ts';

/** A key that gets another value. */
export interface Change {
  name: SettingName;
  value: number;
  why: string;
}

/** None where the given settings stay. */
export function changesOf({ given, chosen, stages }: Tuning): Change[] {
  const changed = (name: SettingName): boolean => chosen[name] !== given[name];
  const ofStages = stages.flatMap((stage) => {
    const names = stage.axis.names.filter(changed);
    const [first] = names;
    return names.map((name) => ({
      name,
      value: chosen[name],
      why: name === first ? reasonOf(stage) : `with ${String(first)}`,
    }));
  });
  const why = 'keeps every decoder and batch full while other events are fetched or acknowledged';
  const { maxInFlight: value } = chosen;
  return changed('maxInFlight') ? [...ofStages, { name: 'maxInFlight', value, why }] : ofStages;
}

/** The figures of the choice against those of what it replaces or, where it stays, of the next best. */
export function reasonOf({ axis, results, chosen, reference }: Stage): string {
  const others = results.filter((result) => result !== chosen);
  if (others.length === 0) return 'there was nothing else to measure';
  const top = fastest(results);
  const against = top !== chosen ? top : reference !== chosen ? reference : fastest(others);
  const label = axis.label(against.settings);
  if (top === chosen) return `${rateOf(chosen)} against ${rateOf(against, '')} with ${label}`;
  return `${rateOf(chosen)}${memoryOf(chosen)}; with ${label} ${rateOf(top, '')}${memoryOf(top)}`;
}

function rateOf({ imagesPerSecond }: Result, unit = ' images/s'): string {
  return imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0) + unit;
}

function memoryOf({ memoryMiB }: Result): string {
  return memoryMiB === null ? '' : ` in ${Math.round(memoryMiB)} MiB`;
}
