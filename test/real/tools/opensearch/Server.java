import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node of OpenSearch: Server FOLDER PORT [SETTING=VALUE …]. Runs until it is killed. */
public class Server {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[1]);
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.setMaxHttpPort(65535);
    runner
        .onBuild(
            (number, settings) -> {
              settings.put("discovery.type", "single-node");
              settings.put("network.host", "127.0.0.1");
              settings.putList("node.roles", "cluster_manager", "data", "ingest");
              settings.put("http.port", port);
              settings.put("transport.port", "0");
              // However full the disk is: nothing large is stored here.
              settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
              for (int n = 2; n < arguments.length; n++) {
                String[] setting = arguments[n].split("=", 2);
                settings.put(setting[0], setting[1]);
              }
            })
        .build(newConfigs().clusterName("test").numOfNode(1).basePath(arguments[0]).baseHttpPort(port - 1));
    Thread.currentThread().join();
  }
}
