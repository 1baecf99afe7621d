import { conforms } from '../conformance.ts';
import { stdout } from '../destinations/stdout.ts';

conforms(stdout);
