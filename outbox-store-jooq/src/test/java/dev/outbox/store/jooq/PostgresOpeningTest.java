package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.StandardError;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What is refused on PostgreSQL. */
@Tag("postgres")
class PostgresOpeningTest extends OpeningTest {
    PostgresOpeningTest() {
        super(new PostgresHarness());
    }

    @Test
    void aSequenceThatIsBehindItsRowsIsRefused() throws Exception {
        write("old");
        execute("INSERT INTO outbox_message (id, topic, partition_no, payload) OVERRIDING SYSTEM VALUE"
                + " VALUES (1000, 'orders', 0, '')");
        String text = refusal(address);
        assertTrue(text.contains("there was a message 1000"), text);
        execute(text.substring(text.indexOf("SELECT setval")));
        assertOpens();
        write("old");
        execute("SELECT setval('outbox_message_id_seq', (SELECT max(id) FROM outbox_message), false)");
        text = String.valueOf(assertThrows(ConfigurationException.class, () -> Stores.open(address))
                .getMessage());
        assertTrue(text.contains("is taken already"), text);
        Stores.open(address).close(); // the next one is not, and that one is drawn now
    }

    @Test
    void aSequenceWithACacheOrACycleIsRefused() throws Exception {
        execute("ALTER SEQUENCE outbox_message_id_seq CACHE 50");
        String text = refusal(address);
        assertTrue(text.contains("keeps 50 ids"), text);
        execute(text.substring(text.indexOf("ALTER SEQUENCE"), text.length() - 1));
        execute("ALTER SEQUENCE outbox_message_id_seq CYCLE");
        text = refusal(address);
        assertTrue(text.contains("begins again at its end"), text);
        execute(text.substring(text.indexOf("ALTER SEQUENCE"), text.length() - 1));
        assertOpens();
    }

    /** What is switched on under a store that is open is as bad, and is said as well. */
    @Test
    void rowSecurityUnderAnOpenStoreIsSaid() throws Exception {
        String user = "u" + Long.toString(System.nanoTime(), 36);
        execute(
                "CREATE USER " + user + " PASSWORD 's3cr3t'",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_message, outbox_partition, outbox_dead_letter TO "
                        + user,
                "GRANT SELECT ON outbox_schema TO " + user,
                "CREATE POLICY mine ON outbox_message USING (topic = 'mine')");
        String url =
                address.replaceFirst("user=[^&]*", "user=" + user).replaceFirst("password=[^&]*", "password=s3cr3t");
        Duration before = Surroundings.every;
        Surroundings.every = Duration.ZERO;
        try (Store store = Stores.open(url)) {
            store.checkout(Set.of("t"), 10).close();
            execute("ALTER TABLE outbox_message ENABLE ROW LEVEL SECURITY");
            for (Executable asked : List.<Executable>of(
                    () -> store.checkout(Set.of("t"), 10),
                    () -> Operations.of(store).backlog())) {
                String text = assertThrows(StoreException.class, asked).getMessage();
                assertTrue(text.contains("row security hides rows of outbox_message from the user " + user), text);
                assertTrue(text.contains("not as it was when the store was opened"), text);
            }
            execute("ALTER TABLE outbox_message DISABLE ROW LEVEL SECURITY");
            store.checkout(Set.of("t"), 10).close();
            assertEquals(List.of(), Operations.of(store).backlog());
            execute("ALTER SEQUENCE outbox_message_id_seq CACHE 20");
            String text = assertThrows(StoreException.class, () -> store.checkout(Set.of("t"), 10))
                    .getMessage();
            assertTrue(text.contains("CACHE 1"), text);
        } finally {
            Surroundings.every = before;
            execute("DROP OWNED BY " + user, "DROP USER " + user);
        }
    }

    /** What it hides would be taken for what is not there. */
    @Test
    void rowSecurityIsRefused() throws Exception {
        String user = "u" + Long.toString(System.nanoTime(), 36);
        execute(
                "CREATE USER " + user + " PASSWORD 's3cr3t'",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_message, outbox_partition, outbox_dead_letter TO "
                        + user,
                "GRANT SELECT ON outbox_schema TO " + user,
                "CREATE POLICY mine ON outbox_message USING (topic = 'mine')");
        String url =
                address.replaceFirst("user=[^&]*", "user=" + user).replaceFirst("password=[^&]*", "password=s3cr3t");
        try {
            Stores.open(url).close();
            execute("ALTER TABLE outbox_message ENABLE ROW LEVEL SECURITY");
            String text = refusal(url);
            assertTrue(text.contains("row security hides rows of outbox_message from the user " + user), text);
            Stores.open(address).close(); // whose owner it does not concern
            execute("ALTER ROLE " + user + " BYPASSRLS");
            Stores.open(url).close();
        } finally {
            execute("DROP OWNED BY " + user, "DROP USER " + user);
        }
    }

    @Test
    void aTriggerThatKeepsMessagesIsRefused() throws Exception {
        execute(
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
                "CREATE TRIGGER keep BEFORE DELETE ON outbox_message FOR EACH ROW EXECUTE FUNCTION keep()");
        String text = refusal(address);
        assertTrue(text.contains("0 of 2 were deleted"), text);
    }

    /** As one that is well known answers: yes, always. */
    @Test
    void aServerThatOnlyImitatesAdvisoryLocksIsRefused() throws Exception {
        execute(
                "CREATE SCHEMA imitation",
                "CREATE FUNCTION imitation.pg_try_advisory_xact_lock(a int, b int) RETURNS boolean LANGUAGE sql"
                        + " AS 'SELECT true'");
        String text = refusal(address + "&options=-c%20search_path=public,imitation,pg_catalog");
        assertTrue(text.contains("another gets too"), text);
    }

    @Test
    void otherTablesOfTheSameNamesAreMentioned() throws Exception {
        StoreOptions create = StoreOptions.defaults().withCreateSchema(true);
        String alone = StandardError.during(() -> Stores.open(address, create).close());
        assertFalse(alone.contains("same names"), alone);
        execute("CREATE SCHEMA other");
        String url = address + "&currentSchema=other";
        String warned = StandardError.during(() -> Stores.open(url, create).close());
        assertTrue(warned.contains("in other schemas: public"), warned);
        assertTrue(warned.contains("prefix=other.outbox_"), warned);
        String meant = StandardError.during(
                () -> Stores.open(address, create.withPrefix("other.outbox_")).close());
        assertFalse(meant.contains("same names"), meant);
    }
}
