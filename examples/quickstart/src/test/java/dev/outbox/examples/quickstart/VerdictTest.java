package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The judge must be able to condemn. */
class VerdictTest {
    private static final Set<String> TRIED = Set.of("SO-1", "SO-2", "SO-3", "SO-4");

    /** SO-4 was rolled back; SO-1 and SO-3 are of one customer. */
    private static final List<Committed> ROWS = List.of(
            new Committed("SO-1", "C-1", "m1"), new Committed("SO-2", "C-2", "m2"), new Committed("SO-3", "C-1", "m3"));

    private static final Delivered FIRST = new Delivered("m1", "C-1", "SO-1");
    private static final Delivered SECOND = new Delivered("m2", "C-2", "SO-2");
    private static final Delivered THIRD = new Delivered("m3", "C-1", "SO-3");

    @Test
    void acquits() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=3 duplicated=0 lost=0 phantom=0 out_of_order=0",
                good(FIRST, SECOND, THIRD));
    }

    @Test
    void customersAreNotOrderedAmongEachOther() {
        good(SECOND, FIRST, THIRD);
        good(FIRST, THIRD, SECOND);
    }

    @Test
    void countsWhatCameAgain() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=3 duplicated=2 lost=0 phantom=0 out_of_order=0",
                good(FIRST, SECOND, FIRST, THIRD, FIRST));
    }

    @Test
    void findsALostMessage() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=2 duplicated=0 lost=1 phantom=0 out_of_order=0",
                bad(FIRST, THIRD));
    }

    @Test
    void findsTheMessageOfARolledBackOrder() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=4 duplicated=0 lost=0 phantom=1 out_of_order=0",
                bad(FIRST, SECOND, new Delivered("m4", "C-2", "SO-4"), THIRD));
    }

    @Test
    void findsAMessageThatCarriesAnotherOrder() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=3 duplicated=0 lost=1 phantom=1 out_of_order=0",
                bad(FIRST, new Delivered("m2", "C-2", "SO-4"), THIRD));
    }

    @Test
    void findsAMessageUnderAnotherKey() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=3 duplicated=0 lost=1 phantom=1 out_of_order=0",
                bad(FIRST, SECOND, new Delivered("m3", "C-2", "SO-3")));
    }

    @Test
    void findsAnInversion() {
        assertEquals(
                "orders=4 committed=3 rolled_back=1 published=3 duplicated=0 lost=0 phantom=0 out_of_order=1",
                bad(THIRD, FIRST, SECOND));
    }

    @Test
    void countsAnOrderThatNobodyTriedAsCommittedNotAsRolledBack() {
        Verdict verdict = Verdict.of(Set.of("SO-1"), ROWS, List.of(FIRST, SECOND, THIRD));
        assertEquals(0, verdict.rolledBack());
        assertEquals(3, verdict.committed());
    }

    private static String good(Delivered... deliveries) {
        Verdict verdict = Verdict.of(TRIED, ROWS, List.of(deliveries));
        assertTrue(verdict.isGood(), verdict::toString);
        return verdict.toString();
    }

    private static String bad(Delivered... deliveries) {
        Verdict verdict = Verdict.of(TRIED, ROWS, List.of(deliveries));
        assertFalse(verdict.isGood(), verdict::toString);
        return verdict.toString();
    }
}
