package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who may what, on PostgreSQL. */
@Tag("postgres")
class PostgresAccessTest extends AccessTest {
    PostgresAccessTest() {
        super(new PostgresHarness(), Dialects.POSTGRESQL);
    }

    /** A standby says the same of its transactions. */
    @Override
    void turnReadOnly() throws Exception {
        execute(
                "ALTER DATABASE \"" + query("SELECT current_database()") + "\" SET default_transaction_read_only = on",
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                        + " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    }

    @Override
    void writable() throws Exception {
        execute(
                "SET default_transaction_read_only = off",
                "ALTER DATABASE \"" + query("SELECT current_database()") + "\" RESET default_transaction_read_only");
    }

    @Override
    String cause() {
        return "default_transaction_read_only is on";
    }

    /** Nothing is to be taken for an empty outbox, either. */
    @Test
    void anIdleRelayIsToldThatNothingCanBeWritten() throws Exception {
        try (Store store = Stores.open(address)) {
            assertEquals(List.of(), StoreTest.publishAll(store, 10));
            turnReadOnly();
            try {
                assertNothingIsHandedOut(store);
                String text =
                        refusal(StoreException.class, () -> Operations.of(store).backlog());
                assertTrue(text.contains(cause()), text);
            } finally {
                writable();
            }
        }
    }

    @Test
    void aDatabaseThatTurnsReadOnlyHandsNothingOut() throws Exception {
        assertNothingIsHandedOutOnceItIsReadOnly();
    }

    @Test
    void anIdleRelayHearsThatItsDatabaseIsReadOnly() throws Exception {
        assertAnIdleOneSaysThatItIsReadOnly();
    }
}
