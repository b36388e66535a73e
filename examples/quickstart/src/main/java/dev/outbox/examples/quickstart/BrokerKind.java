package dev.outbox.examples.quickstart;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The brokers that the example knows. */
enum BrokerKind {
    FILE("published.tsv"),
    KAFKA("localhost:9092"),
    RABBITMQ("amqp://user:password@localhost:5672/%2F"),
    NATS("nats://localhost:4222"),
    SQS("http://localhost:9324");

    private final String example;

    BrokerKind(String example) {
        this.example = example;
    }

    /** What is given as {@code --broker}: a name, and an address unless the example starts a broker of its own. */
    record Choice(BrokerKind kind, @Nullable String address) {}

    static Choice parse(String text) {
        int equal = text.indexOf('=');
        String name = equal < 0 ? text : text.substring(0, equal);
        String address = equal < 0 || equal == text.length() - 1 ? null : text.substring(equal + 1);
        for (BrokerKind kind : values()) {
            if (kind != FILE && kind.label().equals(name)) {
                return new Choice(kind, address);
            }
        }
        throw Failure.usage("Unknown broker " + name + ". Expected "
                + Arrays.stream(values())
                        .filter(kind -> kind != FILE)
                        .map(BrokerKind::label)
                        .collect(Collectors.joining(", "))
                + ", or one of them with its address, as in " + KAFKA.withAddress() + ".");
    }

    /** The same for the process of the relay, which gets it as one line. */
    String line(String address) {
        return label() + "=" + address;
    }

    static Broker ofLine(String line) {
        int equal = line.indexOf('=');
        return valueOf(line.substring(0, equal).toUpperCase(Locale.ROOT)).at(line.substring(equal + 1));
    }

    Broker at(String address) {
        return switch (this) {
            case FILE -> new FileBroker(address);
            case KAFKA -> new KafkaBroker(address);
            case RABBITMQ -> new RabbitBroker(address);
            case NATS -> new NatsBroker(address);
            case SQS -> new SqsBroker(address);
        };
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** An example of an argument. */
    String withAddress() {
        return line(example);
    }
}
