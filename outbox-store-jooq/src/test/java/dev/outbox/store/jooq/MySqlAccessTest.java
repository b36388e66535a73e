package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.Holders;
import dev.outbox.Holders.Holder;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who may what, on MySQL. */
@Tag("mysql")
class MySqlAccessTest extends AccessTest {
    MySqlAccessTest() {
        super(new MySqlHarness(), Dialects.MYSQL);
    }

    /** As a replica is; administrators may write all the same, so it takes another user to see. */
    @Override
    String urlOfOthers() throws Exception {
        return urlOfNewUser("ALL ON " + query("SELECT database()") + ".*");
    }

    @Override
    void turnReadOnly() throws Exception {
        execute("SET GLOBAL read_only = ON");
    }

    @Override
    String cause() {
        return "read_only is on";
    }

    @Override
    void writable() throws Exception {
        execute("SET GLOBAL read_only = OFF");
    }

    /** The reason names what is to be granted, and that is enough. */
    @Test
    void holdersAreToldToUsersWhoMayReadTheLocks() throws Exception {
        String url = urlOfNewUser("ALL ON " + query("SELECT database()") + ".*");
        try (Store store = Stores.open(url)) {
            String reason = String.valueOf(store.capabilities().reasonWithout(Capability.HOLDERS));
            assertTrue(reason.contains("GRANT SELECT ON performance_schema.* TO"), reason);
        }
        execute("GRANT SELECT ON performance_schema.* TO " + grantee());
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(StoreTest.message(3, "m"));
            connection.commit();
        }
        Instant before = Instant.now().minusSeconds(60);
        try (Store store = Stores.open(url);
                MessageBatch batch = store.checkout(Set.of(StoreTest.TOPIC), 1)) {
            assertEquals(1, batch.messages().size());
            Holder holder = Holders.of(store).holders().get(0);
            assertEquals(StoreTest.TOPIC + "/3", holder.topic() + "/" + holder.partition());
            assertTrue(holder.owner().matches("connection \\d+ of " + user + " at .+"), holder.owner());
            Instant since = holder.since();
            assertTrue(
                    since != null
                            && since.isAfter(before)
                            && since.isBefore(Instant.now().plusSeconds(60)),
                    "held since " + since);
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
