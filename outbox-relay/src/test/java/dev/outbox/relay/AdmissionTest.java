package dev.outbox.relay;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private final Time time = new Time(1);
    private final Admission admission = new Admission(time);

    /** The pauses of proofs grow, and not those of an outage that all workers met. */
    @Test
    void anOutageCountsOnceHoweverManyWorkersMeetIt() {
        List<Admission.Permit> permits = new ArrayList<>();
        for (int worker = 0; worker < 16; worker++) {
            permits.add(requireNonNull(admission.ask(100, false)));
        }
        permits.forEach(permit -> admission.failed(permit, List.of(), 2));
        Duration pause = admission.pause();
        assertTrue(pause.compareTo(Duration.ofMillis(100)) <= 0, "the pause before the first proof: " + pause);
    }

    @Test
    void aProofThatFailsPutsTheNextOneOff() {
        admission.failed(requireNonNull(admission.ask(100, false)), List.of(), 2);
        Fixture.await("pauses have grown, and none is over", () -> {
            admission.failed(requireNonNull(admission.ask(100, true)), List.of(), 1);
            return admission.pause().compareTo(Duration.ofMillis(500)) > 0 && isPutOff();
        });
    }

    private boolean isPutOff() {
        Admission.Permit permit = admission.ask(100, false);
        if (permit != null) {
            admission.unproven(permit);
        }
        return permit == null;
    }
}
