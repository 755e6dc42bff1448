// build-snapshot.mjs ADDON BUNDLE OUT: makes the startup snapshot OUT from the platform's bundle.
import { createRequire } from 'node:module';

const [addon, bundle, out] = process.argv.slice(2);
const error = createRequire(import.meta.url)(addon).buildSnapshot(bundle, out);
if (error) {
  console.error(error);
  process.exitCode = 1;
}
