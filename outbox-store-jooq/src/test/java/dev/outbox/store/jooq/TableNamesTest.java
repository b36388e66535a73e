package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TableNamesTest {
    @Test
    void tablesAreQualifiedAndIndexesAreNot() {
        assertEquals(
                "FROM shop.e_message m FORCE INDEX (e_message_order) JOIN shop.e_partition, shop.e_dead_letter",
                TableNames.of("shop.e_")
                        .in("FROM outbox_message m FORCE INDEX (outbox_message_order) JOIN outbox_partition,"
                                + " outbox_dead_letter"));
        assertEquals(
                "e_schema e_partition_name e_dead_letter_order",
                TableNames.of("e_").in("outbox_schema outbox_partition_name outbox_dead_letter_order"));
    }

    @Test
    void otherWordsStay() {
        String sql = "myoutbox_message outbox_messages outbox_message_old outbox_ message";
        assertEquals(sql, TableNames.of("e_").in(sql));
        String own = "SELECT 1 FROM outbox_message";
        assertSame(own, TableNames.of("outbox_").in(own));
    }

    @Test
    void onlyPlainIdentifiersAreTaken() {
        String most = "x".repeat(TableNames.LONGEST_PREFIX);
        assertEquals("s." + most, JdbcOutbox.named("s." + most).toString());
        for (String wrong : List.of(
                "",
                ".",
                "a.",
                ".b",
                "a.b.c",
                "1a",
                "a-b",
                "a b",
                "\"a\"",
                "a;DROP",
                "\u00e4",
                most + "x",
                "x".repeat(64) + ".a",
                "a\n")) {
            String text = assertThrows(ConfigurationException.class, () -> JdbcOutbox.named(wrong))
                    .getMessage();
            assertTrue(text.contains("'" + wrong + "'") && text.contains("shop.outbox_"), text);
            H2StoreTest.assertRefused(
                    "jdbc:h2:mem:names;DB_CLOSE_DELAY=-1",
                    StoreOptions.defaults().withPrefix(wrong),
                    "shop.outbox_");
        }
    }

    /** PostgreSQL cuts longer names off, and two indexes might then be called the same. */
    @Test
    void everyNameFitsEveryDatabase() {
        JdbcOutbox.Named longest = JdbcOutbox.named("x".repeat(TableNames.LONGEST_PREFIX));
        for (Dialect dialect : Dialects.ALL) {
            for (String word : Pattern.compile("[^A-Za-z0-9_]+")
                    .splitAsStream(longest.ddl(Product.database(dialect)))
                    .toList()) {
                assertTrue(word.length() <= 63, word);
            }
        }
    }

    @Test
    void valuesAreEqualByTheirNames() {
        assertEquals(JdbcOutbox.named("a.b_"), JdbcOutbox.named("a.b_"));
        assertEquals(
                JdbcOutbox.named("a.b_").hashCode(), JdbcOutbox.named("a.b_").hashCode());
        assertNotEquals(JdbcOutbox.named("b_"), JdbcOutbox.named("a.b_"));
        assertEquals(JdbcOutbox.ddl(SqlDatabase.H2), JdbcOutbox.named("outbox_").ddl(SqlDatabase.H2));
    }

    @Test
    void twoDifferentNamesForAStoreAreRefused() {
        assertTrue(assertThrows(
                        ConfigurationException.class,
                        () -> JdbcOutbox.named("a_")
                                .store(
                                        new Observed("jdbc:h2:mem:x", true, 2),
                                        StoreOptions.defaults().withPrefix("b_")))
                .getMessage()
                .contains("a_"));
    }
}
