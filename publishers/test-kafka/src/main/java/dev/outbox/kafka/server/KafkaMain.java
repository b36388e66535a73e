package dev.outbox.kafka.server;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Time;

/**
 * One node of Kafka, broker and controller, until the process is ended. Its argument is a file of properties. If the
 * folder for logs is not there, it is made. Once the server takes requests, the file with the ending {@code .ready}
 * next to the properties is there.
 */
public final class KafkaMain {
    private KafkaMain() {}

    /** Runs the server. */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        }
        if (!Files.isDirectory(Path.of(properties.getProperty("log.dirs")))) {
            String[] format = {"format", "--cluster-id", "b3V0Ym94LXRlc3RzLTAwMQ", "--config", file.toString()};
            if (StorageTool.execute(format, System.out) != 0) {
                throw new IllegalStateException("The folder for logs could not be formatted.");
            }
        }
        KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
        Files.createFile(Path.of(file + ".ready"));
        server.awaitShutdown();
    }
}
