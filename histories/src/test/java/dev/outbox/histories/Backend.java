package dev.outbox.histories;

import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A server of one's own with an empty outbox and a table of the application, and what can go wrong with it. */
interface Backend extends AutoCloseable {
    String name();

    /** A way of a relay to the server, which nobody else goes; its URL logs in with what relays need, and no more. */
    Way wayOfRelay() throws IOException;

    /** A way of the application. */
    Way wayOfWriters() throws IOException;

    /** Options of the relays' stores. */
    Map<String, String> options();

    /** A connection of the application, used by one thread. */
    Application connect(Way way) throws Exception;

    /** Names of the transactions that took effect. */
    Set<String> committed() throws Exception;

    /** A store that no fault hinders; to be closed. */
    Store administrator();

    /** Whether clients that vanish without a word are noticed by their system's not answering, as the documentation says. */
    boolean asksWhetherClientsAreThere();

    /** What can happen to this server, besides what can happen to processes and networks. */
    List<Fault> faults();

    @Override
    void close() throws IOException;

    /** A connection of the application. */
    interface Application extends AutoCloseable {
        /** Begins a transaction, with a row of the application's that has its name. */
        void begin(String transaction) throws Exception;

        String persist(OutgoingMessage message) throws Exception;

        /** Where {@link #back} leads, or null if there is no such thing. */
        @Nullable
        Object savepoint() throws Exception;

        void back(Object savepoint) throws Exception;

        /** An exception leaves open what became of it. */
        Story.Ending commit() throws Exception;

        void rollback() throws Exception;

        @Override
        void close() throws SQLException;
    }
}
