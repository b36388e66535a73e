package dev.outbox.histories.brokers;

import java.io.IOException;
import java.util.List;

/** A broker that relays publish to while it is hurt. */
interface Broker extends AutoCloseable {
    /** Something that is done to the broker, and undone. */
    interface Fault {
        void begin() throws Exception;

        void end() throws Exception;
    }

    /**
     * A message as a consumer gets it.
     *
     * @param text what was written
     * @param key its key
     * @param at when the publisher sent it, in milliseconds of the clock of this machine
     */
    record Arrival(String text, String key, long at) {}

    /** From which a relay's process makes its publisher, by {@link Publishers}. */
    String address();

    /** All messages that the broker has, those of a key in their order. The broker is well. */
    List<Arrival> arrivals() throws Exception;

    void kill() throws Exception;

    void restart() throws Exception;

    void pause() throws Exception;

    void resume() throws Exception;

    /** Cuts off all publishers. */
    void cutOff() throws Exception;

    void heal() throws Exception;

    /** Ends all connections of publishers; new ones work. */
    void cut() throws Exception;

    @Override
    void close() throws IOException;
}
