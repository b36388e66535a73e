package dev.outbox.spring.boot.test;

import org.springframework.test.context.TestContext;
import org.springframework.test.context.TestExecutionListener;

/** Has every test begin with an {@link OutboxTester} that knows of no message. */
final class ClearsOutboxTester implements TestExecutionListener {
    @Override
    public void beforeTestMethod(TestContext test) {
        if (test.hasApplicationContext()) {
            test.getApplicationContext().getBeanProvider(OutboxTester.class).ifAvailable(OutboxTester::clear);
        }
    }
}
