import { conforms } from '../conformance.ts';
import { file } from '../destinations/file.ts';

conforms(file);
