import { conforms, printConformance } from './conformance.ts';
import { file } from './destinations/file.ts';
import { httpArray, httpNdjson } from './destinations/http.ts';
import { stdout } from './destinations/stdout.ts';

conforms(stdout);
conforms(file);
conforms(httpNdjson);
conforms(httpArray);
printConformance();
