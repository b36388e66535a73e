package dev.outbox.examples.quickstart;

import dev.outbox.Topic;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/** Where the messages go. The process of the application and that of the relay have an object each, for one broker. */
interface Broker {
    /** What it is and where, for people; without secrets. */
    String shown();

    /**
     * Makes the place for the messages of a topic, before anything is published, and notes in a file whatever arrives
     * there, until the consumer is closed.
     */
    Consumer consume(String topic, Path output) throws Exception;

    /** The topic as the relay has it. */
    Outlet outlet(String topic) throws IOException;

    /** A topic that publishes to a broker, and what must be closed after its relay. */
    record Outlet(Topic<Order> topic, Closeable publisher) implements Closeable {
        @Override
        public void close() throws IOException {
            publisher.close();
        }
    }
}
