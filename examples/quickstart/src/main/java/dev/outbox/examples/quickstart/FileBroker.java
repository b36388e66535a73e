package dev.outbox.examples.quickstart;

import dev.outbox.BrokerPublisher;
import dev.outbox.Receipt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A file in place of a broker, to which the relay itself writes the deliveries. */
final class FileBroker implements Broker {
    /** What a broker near by takes to answer. */
    private static final long ANSWER_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

    private final Path file;

    FileBroker(String file) {
        this.file = Path.of(file);
    }

    @Override
    public String shown() {
        return file.toString();
    }

    @Override
    public Consumer consume(String topic, Path output) {
        return new Consumer() {
            @Override
            public boolean hasEverything() {
                return true;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Outlet outlet(String topic) throws IOException {
        DeliveryLog log = DeliveryLog.open(file);
        BrokerPublisher<Order> publisher = delivery -> {
            LockSupport.parkNanos(ANSWER_NANOS);
            Order order = delivery.message();
            log.append(new Delivered(delivery.id(), order.customer(), order.number()));
            return Receipt.taken();
        };
        return new Outlet(OrderTopic.of(topic).publisher(publisher).build(), log::close);
    }
}
