package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who may what, on MariaDB. */
@Tag("mariadb")
class MariaDbAccessTest extends AccessTest {
    MariaDbAccessTest() {
        super(new MariaDbHarness(), Dialects.MARIADB);
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

    @Test
    void aDatabaseThatTurnsReadOnlyHandsNothingOut() throws Exception {
        assertNothingIsHandedOutOnceItIsReadOnly();
    }

    @Test
    void anIdleRelayHearsThatItsDatabaseIsReadOnly() throws Exception {
        assertAnIdleOneSaysThatItIsReadOnly();
    }
}
