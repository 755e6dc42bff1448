// run-tests.mjs ADDON BUILD_FOLDER [doctest options]: runs the unit tests in an addon.
import { createRequire } from 'node:module';

const [addon, ...args] = process.argv.slice(2);
process.exitCode = createRequire(import.meta.url)(addon).run(args);
