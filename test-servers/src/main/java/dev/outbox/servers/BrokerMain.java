package dev.outbox.servers;

import java.io.IOException;
import java.util.Locale;

/**
 * A broker in a process, for programs that are no tests: its argument is kafka, rabbitmq, nats or sqs. It prints
 * {@code address=} and the address, and ends with its standard input.
 */
public final class BrokerMain {
    private BrokerMain() {}

    /** Runs the broker. */
    public static void main(String[] arguments) throws Exception {
        System.out.println("address=" + start(arguments[0].toLowerCase(Locale.ROOT)));
        awaitEndOfInput();
        System.exit(0); // which stops the broker
    }

    private static String start(String name) throws Exception {
        return switch (name) {
            case "kafka" -> KafkaServer.shared();
            case "rabbitmq" -> RabbitServer.shared().url();
            case "nats" -> NatsServer.shared().url();
            case "sqs" -> SqsServer.shared();
            default ->
                throw new IllegalArgumentException("No broker " + name + "; expected kafka, rabbitmq, nats or sqs.");
        };
    }

    private static void awaitEndOfInput() throws IOException {
        while (System.in.read() >= 0) {
            // Nothing is expected; only the end matters.
        }
    }
}
