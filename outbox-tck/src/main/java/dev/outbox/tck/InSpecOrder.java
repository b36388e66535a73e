package dev.outbox.tck;

import java.util.Comparator;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.MethodOrdererContext;

/** Runs the lower levels first, and the rules in the order of the text: what is simple fails before what is not. */
final class InSpecOrder implements MethodOrderer {
    @Override
    public void orderMethods(MethodOrdererContext context) {
        context.getMethodDescriptors()
                .sort(Comparator.comparingInt(d ->
                        RuleTests.isOne(d.getMethod()) ? RuleTests.all().indexOf(RuleTests.of(d.getMethod())) : -1));
    }
}
