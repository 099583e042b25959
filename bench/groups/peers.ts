import { lazy } from '../lazy.ts';
import { installNodePeer, runNaive } from '../node-peer.ts';
import { installPythonPeer, runPython } from '../python-peer.ts';
import type { Setup } from '../setup.ts';
import { WARM_UP } from '../stage.ts';
import type { Trial } from '../trial.ts';

/** (b) What is written today instead, on the same topic, with the same model files and policies. */
export function peers(setup: Setup): Trial[] {
  const node = lazy(() => installNodePeer(setup.say));
  const python = lazy(() => installPythonPeer(setup.say));
  return [
    {
      name: 'naive',
      title: 'naive consumer (kafkajs eachMessage, transformers.js)',
      rounds: 2,
      run: async () => {
        await node();
        return await runNaive(await setup.stage(), await setup.backlog(), WARM_UP);
      },
    },
    {
      name: 'python',
      title: 'batch consumer in Python (confluent-kafka, Pillow, onnxruntime)',
      run: async () => {
        const program = await python();
        return await runPython(program, await setup.stage(), await setup.backlog(), WARM_UP);
      },
    },
  ];
}
