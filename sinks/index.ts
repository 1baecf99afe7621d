import type { SinkConfig } from '../agent/config/schema.ts';
import type { Sink, SinkContext } from './sink.ts';

/** Makes the sink that the options name. A sink that is not configured is not loaded. */
export async function createSink(options: SinkConfig, context: SinkContext): Promise<Sink> {
  switch (options.type) {
    case 'stdout':
      return new (await import('./stdout.ts')).StdoutSink(context);
    case 'file':
      return new (await import('./file.ts')).FileSink(options);
    case 'http':
      return new (await import('./http.ts')).HttpSink(options, context);
    case 'elasticsearch':
      return new (await import('./elasticsearch.ts')).ElasticsearchSink(options, context);
    case 'loki':
      return new (await import('./loki.ts')).LokiSink(options, context);
    case 's3':
      return new (await import('./s3.ts')).S3Sink(options, context);
    case 'splunk_hec':
      return new (await import('./splunk-hec.ts')).SplunkHecSink(options, context);
    case 'otlp':
      return new (await import('./otlp.ts')).OtlpSink(options, context);
    case 'syslog':
      return new (await import('./syslog.ts')).SyslogSink(options, context);
    case 'cloudwatch_logs':
      return new (await import('./cloudwatch-logs.ts')).CloudwatchLogsSink(options, context);
    case 'google_cloud_logging': {
      const { GoogleCloudLoggingSink } = await import('./google-cloud-logging.ts');
      return new GoogleCloudLoggingSink(options, context);
    }
    case 'kafka':
      return new (await import('./kafka.ts')).KafkaSink(options, context);
  }
}
