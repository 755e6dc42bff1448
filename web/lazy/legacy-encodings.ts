export { createLegacyDecoder, legacyEncodingFromLabel } from '../encoding/legacy-encodings.ts';
