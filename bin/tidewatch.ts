import { main, stopAtClosedPipe } from '../cli/main.ts';

stopAtClosedPipe();
process.exitCode = await main(process.argv.slice(2));
