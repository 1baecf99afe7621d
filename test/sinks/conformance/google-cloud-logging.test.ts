import { conforms } from '../conformance.ts';
import { googleCloudLogging } from '../destinations/google-cloud-logging.ts';

conforms(googleCloudLogging);
