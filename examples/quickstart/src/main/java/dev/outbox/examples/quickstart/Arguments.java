package dev.outbox.examples.quickstart;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the example is called with.
 *
 * @param url database to run against, or null for H2 in a file
 * @param broker to publish to, or null for a file in the place of one
 * @param file of orders, or null for the one that ships with the example
 * @param dir folder to make the folder of this run in, or null for the one of temporary files
 */
record Arguments(
        @Nullable String url,
        BrokerKind.@Nullable Choice broker,
        @Nullable Path file,
        @Nullable Path dir,
        boolean help) {
    static final String HELP = """
            Writes orders and their messages into a database, publishes them through a relay in
            a second process, kills that process on the way, and counts what arrived.

              Quickstart [--url <URL>] [--broker <name>[=<address>]] [--dir <folder>] [<file of orders>]

              --url    database to use, as jdbc:postgresql://host/shop?user=...&password=...
                       (or jdbc:mysql:, jdbc:mariadb:, jdbc:h2:), redis://user:password@host or
                       mongodb://host/shop?replicaSet=...
                       It gets a table quickstart_orders and the outbox's own tables; in Redis,
                       keys that begin with {outbox}.
                       Default: H2, in a file in the folder of this run.
              --broker kafka, rabbitmq, nats or sqs, and its address, as kafka=localhost:9092,
                       rabbitmq=amqp://user:password@host/vhost, nats=nats://host,
                       sqs=eu-central-1 or sqs=http://localhost:9324 for a server such as ElasticMQ.
                       It gets a topic, an exchange with a queue, a stream or a queue for this run.
                       Without an address a broker is started, which needs mvn -Pquickstart,brokers.
                       Default: a file in the place of a broker.
              --dir    where to make the folder of this run. Default: among temporary files.
              --help   this text

            A file of orders has lines such as
              %s
            Its last field is authorised or declined; a declined order is rolled back.
            With Maven, arguments are given as -Dquickstart.args="--url ... orders.csv".
            Exit code: 0 if no message was lost, invented or reordered, 1 if one was, 2 if an argument is wrong.
            """.formatted(OrderLine.EXAMPLE);

    static Arguments parse(String... args) {
        String url = null;
        BrokerKind.Choice broker = null;
        Path file = null;
        Path dir = null;
        for (int i = 0; i < args.length; i++) {
            String arg = args[i];
            switch (arg) {
                case "--help", "-h" -> {
                    return new Arguments(null, null, null, null, true);
                }
                case "--url" -> url = valueOf(arg, "a URL", args, ++i);
                case "--broker" -> broker = BrokerKind.parse(valueOf(arg, "a broker", args, ++i));
                case "--dir" -> dir = path(valueOf(arg, "a folder", args, ++i));
                default -> {
                    if (arg.startsWith("-")) {
                        throw Failure.usage("Unknown option " + arg + ". Expected --url, --broker, --dir or --help.");
                    }
                    if (file != null) {
                        throw Failure.usage("Two files of orders: " + file + " and " + arg + ". Expected one.");
                    }
                    file = path(arg);
                }
            }
        }
        return new Arguments(url, broker, file, dir, false);
    }

    private static String valueOf(String option, String expected, String[] args, int index) {
        if (index >= args.length || args[index].startsWith("--")) {
            throw Failure.usage("Option " + option + " needs " + expected + " behind it.");
        }
        return args[index];
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw Failure.usage("Not a path: " + e.getMessage() + ".");
        }
    }
}
