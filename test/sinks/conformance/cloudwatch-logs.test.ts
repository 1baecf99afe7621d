import { conforms } from '../conformance.ts';
import { cloudwatchLogs } from '../destinations/cloudwatch-logs.ts';

conforms(cloudwatchLogs);
