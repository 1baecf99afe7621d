import { conforms } from '../conformance.ts';
import { httpArray, httpNdjson } from '../destinations/http.ts';

conforms(httpArray);
conforms(httpNdjson);
