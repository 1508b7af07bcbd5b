/** Writes docs/openapi.json from the schemas of the guest's API. Run: node tools/make-openapi.ts */
import { writeFileSync } from 'node:fs';
import { openApiText } from '../captive-portal/openapi.ts';

writeFileSync(new URL('../docs/openapi.json', import.meta.url), openApiText());
