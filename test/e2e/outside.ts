import { Clocks } from './clocks.ts';
import type { Surroundings } from './emulator-profile.ts';
import { type PagerStub, startPagerStub } from './pager-stub.ts';
import { type SagemakerStub, startSagemakerStub } from './sagemaker-stub.ts';

/** What the functions meet beside the emulator, and who plays it: SageMaker, a pager, the time. */
export interface Outside {
  readonly sagemaker: SagemakerStub;
  readonly pager: PagerStub;
  readonly clocks: Clocks;
  /** What a function is given to meet them. @param endpoint its way to the emulator */
  surround(handler: string, endpoint: string): Surroundings;
  close(): Promise<void>;
}

/** Short of what an update takes on AWS, and longer than the function takes to look again. */
const updateMilliseconds = 2_000;
const preload = new URL('./runtime/surroundings.ts', import.meta.url);

export async function openOutside(folder: string, handlers: readonly string[]): Promise<Outside> {
  const clocks = new Clocks(folder, handlers);
  const pager = await startPagerStub();
  const sagemaker = await startSagemakerStub({ updateMilliseconds });
  return {
    sagemaker,
    pager,
    clocks,
    surround: (handler, endpoint) => ({
      endpoint,
      variables: {
        NODE_OPTIONS: `--import=${preload}`,
        TIDEWATCH_E2E_CLOCK: clocks.fileOf(handler),
        ...sagemaker.environment,
        ...(handler === 'deliver' && pager.environment),
      },
    }),
    close: async () => {
      pager.close();
      await sagemaker.close();
    },
  };
}
