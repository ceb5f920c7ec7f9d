#!/usr/bin/env node
/** Owns the process: arguments in, exit status out. Everything else is `run.ts`, which tests can call. */

import { run } from './run.ts';
import { terminal } from './terminal.ts';

process.exitCode = await run(process.argv.slice(2), terminal());
