(** * The counting step of the upper bound on nu: Moebius inversion and parity classes of subsets

    G is a finite list of isometries, r the number of places of a subset of X.  An isometry misses the places
    whose atoms it does not map into the other environment.  m(C) counts the isometries that miss exactly C,
    N(S) those that miss at most S, so N is the sum of m over subsets.

    If N agrees for two environments on all S except S = {}, and differs there by D, then by Moebius inversion
    m differs by (-1)^|C| D on every C.  If D > 0, some isometry misses exactly C for each of the 2^(r-1) even C;
    if D < 0, for each odd C.  So D <> 0 needs at least 2^(r-1) isometries.  (Lovasz and Mueller's argument for the
    edge reconstruction conjecture, in the form of Radcliffe and Scott.) *)

From Coq Require List PeanoNat.
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Open Scope ring_scope.

Section Moebius.
Variable T : finType.
Implicit Types (A B C S : {set T}).

(** The signed number of subsets of S is 0 unless S is empty: pair C with its toggle at an element of S. *)
Lemma signed_subsets S : \sum_(C : {set T} | C \subset S) (-1) ^+ #|C| = (S == set0)%:R :> int.
Proof.
have [->|[x xS]] := set_0Vmem S.
  rewrite eqxx (big_pred1 set0) ?cards0 // => C; exact: subset0.
have /negPf -> : S != set0 by apply/set0Pn; exists x.
rewrite (bigID (fun C => x \in C)) /=.
rewrite (reindex_onto (fun C => x |: C) (fun C => C :\ x)) /=; last first.
  by move=> C /andP [_ xC]; rewrite setD1K.
rewrite (eq_bigl (fun C => (C \subset S) && (x \notin C))); last first.
  move=> C; rewrite setU11 subUset sub1set xS !andbT /=; congr (_ && _).
  by apply/eqP/idP => [<-|xC]; [rewrite !inE eqxx | exact: setU1K].
rewrite -big_split big1 //= => C /andP [_ xC].
by rewrite cardsU1 xC exprS mulN1r addNr.
Qed.

(** Moebius inversion on a family closed under subsets, for the data that occur here. *)
Theorem moebius (F : pred {set T}) (d : {set T} -> int) (D : int) :
  (forall C S, F C -> S \subset C -> F S) ->
  (forall C, F C -> \sum_(S : {set T} | S \subset C) d S = (C == set0)%:R * D) ->
  forall C, F C -> d C = (-1) ^+ #|C| * D.
Proof.
move=> Fsub H C.
elim: {C}_.+1 {-2}C (ltnSn #|C|) => // n IH C leC FC.
have := H C FC; rewrite (bigD1 C) //= (eq_bigr (fun S => (-1) ^+ #|S| * D)); last first.
  move=> S /andP [sSC nSC]; apply: IH; last exact: Fsub FC sSC.
  by rewrite -ltnS (leq_trans _ leC) // ltnS; apply: proper_card; rewrite properEneq nSC.
rewrite -mulr_suml.
have := signed_subsets C; rewrite (bigD1 C) //= => <-.
by rewrite mulrDl => /addIr.
Qed.

(** Half of the subsets of a non-empty set are even, half are odd. *)
Lemma half_of_subsets (b : bool) :
  (0 < #|T|)%N -> #|[set C : {set T} | odd #|C| == b]| = (2 ^ #|T|.-1)%N.
Proof.
move=> T0; set half := fun b => #|[set C : {set T} | odd #|C| == b]|.
have total : (half true + half false = 2 ^ #|T|)%N.
  rewrite /half -cardsUI (_ : _ :&: _ = set0) ?cards0 ?addn0; last first.
    by apply/setP => C; rewrite !inE; case: (odd _).
  rewrite -[#|T|]cardsT -card_powerset; congr #|pred_of_set _|.
  by apply/setP => C; rewrite !inE subsetT; case: (odd _).
have count b' : \sum_(C : {set T} | odd #|C| == b') 1 = (half b')%:R :> int.
  by rewrite /half -sum1_card natr_sum; apply: eq_bigl => C; rewrite inE.
have balance : half true = half false.
  have := signed_subsets setT; rewrite (_ : ([set: T] == set0) = false); last first.
    by apply/negbTE; rewrite -card_gt0 cardsT.
  rewrite (bigID (fun C : {set T} => odd #|C| == true)) /=.
  rewrite (eq_bigl (fun C : {set T} => odd #|C| == true)); last by move=> C; rewrite subsetT.
  rewrite [X in _ + X = _](eq_bigl (fun C : {set T} => odd #|C| == false)); last first.
    by move=> C; rewrite subsetT; case: (odd _).
  rewrite (eq_bigr (fun=> - 1)) => [|C /eqP oC]; last by rewrite -signr_odd oC.
  rewrite [X in _ + X = _](eq_bigr (fun=> 1)) => [|C /eqP eC]; last by rewrite -signr_odd eC.
  by rewrite sumrN !count => /eqP; rewrite addrC subr_eq0 eqr_nat => /eqP.
have double : (2 * half b = 2 ^ #|T|)%N.
  by rewrite -total; case: b; rewrite balance mul2n addnn.
by apply/eqP; rewrite -(eqn_pmul2l (ltn0Sn 1)) double -expnS prednK.
Qed.

End Moebius.

(** ** Isometries and the places they miss *)

Section Counting.
Variables (T : finType) (G : Type).
Implicit Types (C S : {set T}) (g : seq G) (miss : G -> {set T}).

(** N(S) and m(C). *)
Definition miss_within miss g S := count (fun x => miss x \subset S) g.
Definition miss_exactly miss g C := count (fun x => miss x == C) g.

Lemma miss_within_sum miss g S :
  (miss_within miss g S)%:R = \sum_(C : {set T} | C \subset S) (miss_exactly miss g C)%:R :> int.
Proof.
elim: g => [|x g IH]; first by rewrite big1.
rewrite /miss_within /miss_exactly /= natrD -/(miss_within miss g S) IH.
rewrite [RHS](eq_bigr (fun C => (miss x == C)%:R + (miss_exactly miss g C)%:R)); last first.
  by move=> C _; rewrite natrD.
rewrite big_split /=; congr (_ + _).
have [sub|nsub] := boolP (miss x \subset S).
  rewrite (bigD1 (miss x)) //= eqxx big1 ?addr0 // => C /andP [_ /negPf nC].
  by rewrite eq_sym nC.
rewrite big1 // => C sC; case: eqP => // E; by rewrite E sC in nsub.
Qed.

(** Isometries that hit exactly the complements of the sets of one parity are that many. *)
Lemma many_isometries miss g (b : bool) :
  (forall C, odd #|C| == b -> (0 < miss_exactly miss g C)%N) ->
  (#|[set C : {set T} | odd #|C| == b]| <= size g)%N.
Proof.
move=> H; rewrite -(size_map miss g).
apply: (@leq_trans #|[set C in [seq miss x | x <- g]]|); last first.
  by rewrite cardsE card_size.
apply: subset_leq_card; apply/subsetP => C; rewrite !inE => /H.
by rewrite -has_count -has_pred1 has_map; congr has; apply: eq_has.
Qed.

Lemma no_surplus missX missY gX gY :
  (0 < #|T|)%N ->
  (forall S, S != set0 -> miss_within missX gX S = miss_within missY gY S) ->
  (size gY < 2 ^ #|T|.-1)%N ->
  (miss_within missY gY set0 <= miss_within missX gX set0)%N.
Proof.
move=> T0 agree small; rewrite leqNgt; apply/negP => surplus.
set D : int := (miss_within missY gY set0)%:R - (miss_within missX gX set0)%:R.
have Dpos : 0 < D by rewrite subr_gt0 ltr_nat.
have inv C : (miss_exactly missY gY C)%:R - (miss_exactly missX gX C)%:R = (-1) ^+ #|C| * D :> int.
  apply: (moebius (F := predT) (d := fun C => (miss_exactly missY gY C)%:R - (miss_exactly missX gX C)%:R)) => // S _.
  rewrite sumrB -!miss_within_sum; have [->|nS] := eqVneq S set0; first by rewrite mul1r.
  by rewrite agree // subrr mul0r.
suff : (2 ^ #|T|.-1 <= size gY)%N by rewrite leqNgt small.
rewrite -(half_of_subsets false T0); apply: (many_isometries (miss := missY)) => C /eqP eC.
rewrite -(ltr_nat [numDomainType of int]); move: (inv C); rewrite -signr_odd eC expr0 mul1r => /eqP.
by rewrite subr_eq => /eqP ->; rewrite ltr_paddr // ler0n.
Qed.

(** Equal counts for all proper subsets of places give equal counts for all places. *)
Theorem counting_step missX missY gX gY :
  (0 < #|T|)%N ->
  (forall S, S != set0 -> miss_within missX gX S = miss_within missY gY S) ->
  (size gX < 2 ^ #|T|.-1)%N -> (size gY < 2 ^ #|T|.-1)%N ->
  miss_within missX gX set0 = miss_within missY gY set0.
Proof.
move=> T0 agree smallX smallY; apply/eqP; rewrite eqn_leq.
by rewrite !no_surplus // => S nS; rewrite agree.
Qed.
End Counting.

(** ** The same in the vocabulary of lists, for use with real coordinates

    [hit g i]: the isometry g maps the atom at place i into the environment. *)

Definition hitting (G : Type) (hit : G -> nat -> bool) (g : list G) (places : list nat) : nat :=
  List.length (List.filter (fun x => List.forallb (hit x) places) g).

Theorem deck_step (G : Type) (hitX hitY : G -> nat -> bool) (gX gY : list G) (r : nat) :
  (0 < r)%coq_nat ->
  (forall places, List.Forall (fun i => (i < r)%coq_nat) places -> (List.length places < r)%coq_nat ->
     hitting hitX gX places = hitting hitY gY places) ->
  (List.length gX < Nat.pow 2 (Nat.pred r))%coq_nat ->
  (List.length gY < Nat.pow 2 (Nat.pred r))%coq_nat ->
  hitting hitX gX (List.seq 0 r) = hitting hitY gY (List.seq 0 r).
Proof.
move=> /ltP r0 agree.
have powE n : Nat.pow 2 n = (2 ^ n)%N.
  by elim: n => [//|n IH]; rewrite expnS -IH /= mul2n -addnn PeanoNat.Nat.add_0_r.
rewrite !powE => /ltP smallX /ltP smallY.
have all_list (p : nat -> bool) (l : list nat) : List.forallb p l = all p l by elim: l => //= i l ->.
pose miss (hit : G -> nat -> bool) x := [set i : 'I_r | ~~ hit x i].
pose places (S : {set 'I_r}) := [seq val i | i <- enum (~: S)].
have within hit (g : list G) S : miss_within (miss hit) g S = hitting hit g (places S).
  elim: g => [//|x g IH]; rewrite /hitting /miss_within /= -/(miss_within _ g S) IH.
  have -> : (miss hit x \subset S) = List.forallb (hit x) (places S).
    rewrite all_list all_map; apply/subsetP/allP => [sub i|sub i].
      by rewrite mem_enum inE; apply: contraNT => h; apply: sub; rewrite inE.
    by rewrite inE; apply: contraNT => nS; apply: sub; rewrite mem_enum inE.
  by rewrite /hitting; case: List.forallb.
have all_places : places set0 = List.seq 0 r.
  rewrite /places setC0 enum_setT -enumT val_enum_ord.
  by elim: r 0%N {r0 agree miss places within smallX smallY} => //= n IH m; rewrite IH.
rewrite -all_places -!within; apply: counting_step; rewrite ?card_ord //.
move=> S nS; rewrite !within; apply: agree.
  rewrite /places; elim: (enum _) => [|i l IH] /=; constructor => //; exact/ltP/ltn_ord.
have -> : List.length (places S) = #|~: S|.
  by rewrite cardE -(size_map val).
apply/ltP; rewrite cardsCs setCK card_ord.
by rewrite ltn_subrL r0 andbT card_gt0.
Qed.

Print Assumptions moebius.
Print Assumptions counting_step.
Print Assumptions deck_step.
