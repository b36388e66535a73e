package dev.outbox.tck.runner;

import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Says what a test found as soon as it is found, and counts. */
final class Failures implements TestExecutionListener {
    private final List<String> outsideOfTests = new ArrayList<>();
    private int ofTests;
    private int succeeded;

    @Override
    public synchronized void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        if (identifier.isTest() && result.getStatus() == Status.SUCCESSFUL) {
            succeeded++;
        }
        if (result.getStatus() != Status.FAILED) {
            return;
        }
        String message = result.getThrowable().map(Throwable::getMessage).orElse("no message");
        if (identifier.isTest()) {
            ofTests++;
            System.out.println(message.indent(4));
        } else {
            outsideOfTests.add(message);
        }
    }

    /** Why the suite itself could not be run: wrong settings, or a report that could not be written. */
    synchronized List<String> outsideOfTests() {
        return List.copyOf(outsideOfTests);
    }

    /** How many tests found something. */
    synchronized int ofTests() {
        return ofTests;
    }

    synchronized int succeeded() {
        return succeeded;
    }
}
